import type { ExactlyOnceOutput } from '@millrace/api/internal';

/** What the transactional ids of an output begin with; by this the log knows it. */
export function outputPrefix(
  { transactionalIdPrefix, name }: Pick<ExactlyOnceOutput, 'transactionalIdPrefix' | 'name'>,
  application: string,
): string {
  return `${transactionalIdPrefix}/${application}/${name}`;
}

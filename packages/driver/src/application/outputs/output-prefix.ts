import { type ExactlyOnceOutput, type OutputOperation, POSTGRES_LOGGED } from '@millrace/api/internal';

/** What the transactional ids of an output begin with; by this the log knows it. */
export function outputPrefix(
  { transactionalIdPrefix, name }: Pick<ExactlyOnceOutput, 'transactionalIdPrefix' | 'name'>,
  application: string,
): string {
  return `${transactionalIdPrefix}/${application}/${name}`;
}

/** What the log knows exactly-once outputs by. */
export function loggedOutputs(outputs: readonly OutputOperation[], application: string): readonly string[] {
  return outputs.flatMap(({ exactlyOnce, loggedAs }) =>
    exactlyOnce ? [outputPrefix(exactlyOnce, application)] : (loggedAs ?? []),
  );
}

/** Kafka forgets how far an output got. */
export function isForgotten(logged: string): boolean {
  return !logged.startsWith(POSTGRES_LOGGED);
}

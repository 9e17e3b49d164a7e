import type { StreamGraph } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';

/** Several problems as one error: the only one itself, or JOB_INVALID that lists each with its code. */
export function problemsError(problems: readonly MillraceError[]): MillraceError | undefined {
  const [first, ...others] = problems;
  if (first === undefined || others.length === 0) return first;
  const list = problems.map(({ message, details }) => `- ${withPlace(message, details['place'])}`);
  return new MillraceError('JOB_INVALID', `${problems.length} problems:\n${list.join('\n')}\n`, {
    details: { problems: problems.length, codes: problems.map(({ code }) => code).join(',') },
  });
}

/** Brokers of a stream whose options could not be resolved: createDirectStream puts them there, and reports the problems. */
const UNRESOLVED_BROKERS = 'unresolved:1';

/** Inputs that have brokers to ask. */
export function askableInputs(inputs: StreamGraph['inputs']): StreamGraph['inputs'] {
  return inputs.filter(({ options }) => options.client.brokers[0] !== UNRESOLVED_BROKERS);
}

function withPlace(message: string, place: unknown): string {
  return typeof place === 'string' && place !== '' && !message.includes(place)
    ? `${place}: ${message}`
    : message;
}

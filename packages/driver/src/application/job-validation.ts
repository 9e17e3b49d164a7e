import type { StreamGraph } from '@millrace/api/internal';

/** Brokers of a stream whose options could not be resolved: createDirectStream puts them there, and reports the problems. */
const UNRESOLVED_BROKERS = 'unresolved:1';

/** Inputs that have brokers to ask. */
export function askableInputs(inputs: StreamGraph['inputs']): StreamGraph['inputs'] {
  return inputs.filter(({ options }) => options.client.brokers[0] !== UNRESOLVED_BROKERS);
}

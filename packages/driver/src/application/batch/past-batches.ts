import type { BatchInput, StreamReach } from '@millrace/api/internal';
import { topicPartitionKey } from '@millrace/kafka';
import type { KafkaInput } from '../input/kafka-input.ts';
import type { LogState } from '../log/log-state.ts';
import { batchInput } from './batch-run.ts';

/** What an input reads now. */
type Topics = Pick<KafkaInput, 'topics'>;

/**
 * What windows see of the batches before this start: those that the log kept. Ranges of topics that a stream does not read any more are left out:
 * another program may decode them otherwise. So are those of a topic that was created anew since: their records are gone.
 */
export function pastBatches(
  { history, positions }: Pick<LogState, 'history' | 'positions'>,
  inputs: ReadonlyArray<{ readonly input: { readonly inputId: number }; readonly kafka: Topics }>,
): readonly BatchInput[] {
  const topics = new Map(inputs.map(({ input, kafka }) => [input.inputId, kafka.topics]));
  return history.batches.map((batch) => {
    let isPartial = false;
    const read = batch.inputs.map(({ inputId, ranges }) => {
      const there = ranges.filter((range) => {
        const now = positions.get(inputId)?.get(topicPartitionKey(range))?.topicId ?? range.topicId;
        return topics.get(inputId)?.has(range.topic) === true && (range.topicId ?? now) === now;
      });
      isPartial ||= there.length < ranges.length;
      return { inputId, ranges: there };
    });
    const input = batchInput({ batchTime: batch.batchTime, inputs: read }, batch.previous);
    return isPartial ? { ...input, isPartial } : input;
  });
}

/** Windows over rows of stateful operators, which begin anew with this start, as a notice; undefined: there are none. */
export function windowsOverState({ history }: LogState, reach: StreamReach): string | undefined {
  if (history.batches.length === 0 || !reach.windows.some(({ parent }) => reach.hasState(parent)))
    return undefined;
  return 'windows over rows of stateful operators do not have those of the batches before this start: they are not complete until they have passed';
}

/** Windows that reach further back than the log does, as a notice; undefined: there are none. */
export function incompleteWindows(
  { history, lastCommitted }: LogState,
  { windows, horizonMs }: StreamReach,
): string | undefined {
  if (lastCommitted === undefined || windows.length === 0) return undefined;
  const [oldest] = history.batches;
  const missing = oldest === undefined ? lastCommitted : oldest.previous;
  if (missing === undefined || missing <= lastCommitted - horizonMs) return undefined;
  const until = new Date(missing).toISOString();
  return `windows reach back ${horizonMs} ms, and the log does not have the batches until ${until} (the program that wrote it kept less): windows that begin before that are not complete`;
}

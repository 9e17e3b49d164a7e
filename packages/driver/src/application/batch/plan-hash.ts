import type { OffsetRange } from '@millrace/kafka';
import { contentHash } from '@millrace/proto/task';
import type { LoggedInput } from '../log/log-record.ts';

/** Same program, same ranges: same hash, on every machine. */
export function planHashOf(programHash: string, inputs: readonly LoggedInput[]): string {
  const ranges = inputs.map(({ inputId, ranges: each }) => [inputId, each.map(rangeKey)]);
  return contentHash(Buffer.from(JSON.stringify([programHash, ranges]), 'utf8'));
}

function rangeKey({ topic, partition, fromOffset, untilOffset, topicId }: OffsetRange): readonly unknown[] {
  return [topic, partition, fromOffset, untilOffset, topicId ?? null];
}

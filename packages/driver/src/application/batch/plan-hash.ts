import type { OffsetRange } from '@millrace/kafka';
import { contentHash } from '@millrace/proto/task';
import type { PlannedProgram } from '../../program-identity.ts';
import type { LoggedInput } from '../log/log-record.ts';

/** Same program, same ranges: same hash, on every machine. Of plans without settings as versions of Millrace that knew none made it. */
export function planHashOf(
  { programHash, settings }: PlannedProgram,
  inputs: readonly LoggedInput[],
): string {
  const ranges = inputs.map(({ inputId, ranges: each }) => [inputId, each.map(rangeKey)]);
  return contentHash(
    Buffer.from(
      JSON.stringify(settings === undefined ? [programHash, ranges] : [programHash, ranges, settings]),
      'utf8',
    ),
  );
}

function rangeKey({ topic, partition, fromOffset, untilOffset, topicId }: OffsetRange): readonly unknown[] {
  return [topic, partition, fromOffset, untilOffset, topicId ?? null];
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of an application's log: "LLLLLLLL CCCCCCCC {json}". Read without any of the engine's code. */
type Line = Readonly<Record<string, unknown>>;

interface Range {
  readonly partition: number;
  readonly fromOffset: number;
  readonly untilOffset: number;
}

export interface OffsetLog {
  readonly planned: ReadonlyArray<{
    readonly batchTime: number;
    readonly ranges: readonly Range[];
  }>;
  readonly committed: readonly number[];
}

const HEADER_LENGTH = 18;
const SEGMENTS_MAX = 1_000_000;

/** Every planned and committed batch of a log directory, in file order. Torn last lines, and what came after a fence, are left out. */
export function readOffsetLog(directory: string): OffsetLog {
  const planned: { batchTime: number; ranges: Range[] }[] = [];
  const committed: number[] = [];
  for (const lines of countingLines(directory)) {
    for (const line of lines) {
      if (line['kind'] === 'planned') {
        const inputs = line['inputs'] as {
          readonly topics: readonly { readonly parts: readonly number[][] }[];
        }[];
        const parts = inputs.flatMap(({ topics }) => topics.flatMap((topic) => topic.parts));
        planned.push({
          batchTime: line['batchTime'] as number,
          ranges: parts.map(([partition = -1, fromOffset = -1, untilOffset = -1]) => ({
            partition,
            fromOffset,
            untilOffset,
          })),
        });
      } else if (line['kind'] === 'committed') committed.push(line['batchTime'] as number);
    }
  }
  return { planned, committed };
}

/**
 * By file, oldest first. The first line of a file may say where the one before it ended (`fence`): a process that stood still in the middle
 * of a write finishes that when it comes back, behind the fence, and is told then that it has lost.
 */
function countingLines(directory: string): readonly (readonly Line[])[] {
  const counting: Line[][] = [];
  let end = { file: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  for (const name of readdirSync(directory).toSorted().toReversed()) {
    const file = placeOf(name);
    // Made by a process that was fenced by then.
    if (file > end.file) continue;
    const bytes = readFileSync(join(directory, name)).subarray(0, file === end.file ? end.bytes : undefined);
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    const records = lines.map((text) => JSON.parse(text.slice(HEADER_LENGTH)) as Line);
    counting.push(records);
    const fence = records[0]?.['fence'] as
      | Readonly<Record<'epoch' | 'segment' | 'bytes', number>>
      | undefined;
    if (fence) end = { file: fence.epoch * SEGMENTS_MAX + fence.segment, bytes: fence.bytes };
  }
  return counting.toReversed();
}

/** epoch-EEEEEEEE-SSSSSS.log as one number that grows with both. */
function placeOf(name: string): number {
  const [, epoch = 0, segment = 0] = name.split(/[-.]/).map(Number);
  return epoch * SEGMENTS_MAX + segment;
}

/**
 * "OK" when each batch time has one set of ranges, was committed at most once, and the committed ranges of each partition are
 * contiguous from 0 to what was produced (`produced`: records by partition; offsets without gaps).
 */
export function verdictOfLog(log: OffsetLog, produced: ReadonlyMap<number, number>): string {
  const problems: string[] = [];
  const byTime = new Map<number, string>();
  const committed = new Set(log.committed);
  if (committed.size !== log.committed.length) problems.push('a batch was committed twice');
  const positions = new Map([...produced.keys()].map((partition) => [partition, 0]));
  for (const { batchTime, ranges } of log.planned.toSorted((a, b) => a.batchTime - b.batchTime)) {
    const shown = JSON.stringify(
      ranges.map(({ partition, fromOffset, untilOffset }) => [partition, fromOffset, untilOffset]),
    );
    const known = byTime.get(batchTime);
    if (known !== undefined) {
      if (known !== shown) problems.push(`batch ${batchTime} has two sets of ranges: ${known} and ${shown}`);
      continue;
    }
    byTime.set(batchTime, shown);
    if (!committed.has(batchTime)) problems.push(`batch ${batchTime} was planned and never committed`);
    for (const { partition, fromOffset, untilOffset } of ranges) {
      const position = positions.get(partition) ?? -1;
      if (fromOffset !== position)
        problems.push(`batch ${batchTime} reads ${partition} from ${fromOffset}, not from ${position}`);
      positions.set(partition, untilOffset);
    }
  }
  for (const [partition, count] of produced) {
    if (positions.get(partition) !== count)
      problems.push(`partition ${partition} was read until ${positions.get(partition)} of ${count}`);
  }
  return problems.length === 0 ? 'OK' : problems.slice(0, 20).join('\n');
}

import type { OffsetsReport } from '../client/cluster-client.ts';
import { grouped } from './quantity.ts';
import { textTable } from './text-table.ts';

type PartitionOffsets = OffsetsReport['partitions'][number];

/** The stable JSON form. What is not known is null. */
export function offsetsJson(report: OffsetsReport): Readonly<Record<string, unknown>> {
  const { lastBatchTime, pendingBatchTime, partitions, ...facts } = report;
  return {
    ...facts,
    lastBatchTime: lastBatchTime === 0 ? null : lastBatchTime,
    pendingBatchTime: pendingBatchTime === 0 ? null : pendingBatchTime,
    partitions: partitions.map((each) => {
      const {
        input,
        topic,
        partition,
        position = null,
        earliest = null,
        latest = null,
        target = null,
      } = each;
      return { input, topic, partition, position, earliest, latest, target };
    }),
  };
}

/** `millrace offsets show`. */
export function offsetsText(report: OffsetsReport): string {
  const { partitions } = report;
  if (partitions.length === 0) return `${heading(report)}\nits log has no offsets yet\n`;
  const withEnds = partitions.some(({ latest }) => latest !== undefined);
  const ends = withEnds ? ['EARLIEST', 'LATEST', 'LAG'] : [];
  const lines = textTable(
    [...PARTITION_HEADS, ...['POSITION', ...ends].map((head) => ({ head, numeric: true }))],
    partitions.map((each) => [
      ...partitionCells(each),
      shown(each.position),
      ...(withEnds ? [shown(each.earliest), shown(each.latest), shown(lag(each))] : []),
    ]),
  );
  return `${[heading(report), ...lines].join('\n')}\n`;
}

/** `millrace offsets set` and `reset`: what moves, and what that means. */
export function changeText(report: OffsetsReport): string {
  const { partitions, notes, executed } = report;
  const lines = textTable(
    [
      ...PARTITION_HEADS,
      { head: 'POSITION', numeric: true },
      { head: executed ? 'NOW' : 'WOULD BE', numeric: true },
      { head: 'CHANGE' },
    ],
    partitions.map((each) => [
      ...partitionCells(each),
      shown(each.position),
      shown(each.target ?? each.position),
      change(each),
    ]),
  );
  return `${[heading(report), ...lines, ...notes].join('\n')}\n`;
}

const PARTITION_HEADS = [
  { head: 'INPUT', numeric: true },
  { head: 'TOPIC' },
  { head: 'PARTITION', numeric: true },
] as const;

function partitionCells({ input, topic, partition }: PartitionOffsets): string[] {
  return [String(input), topic, String(partition)];
}

function heading({ application, epoch, lastBatchTime, pendingBatchTime }: OffsetsReport): string {
  const last = lastBatchTime === 0 ? 'no batch yet' : `last batch ${time(lastBatchTime)}`;
  const pending = pendingBatchTime === 0 ? '' : ` · planned and not committed: ${time(pendingBatchTime)}`;
  return `${application} · epoch ${epoch} · ${last}${pending}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function shown(offset: number | undefined): string {
  return offset === undefined ? '–' : String(offset);
}

function lag({ position, latest }: PartitionOffsets): number | undefined {
  return position === undefined || latest === undefined ? undefined : Math.max(0, latest - position);
}

function change({ position, target }: PartitionOffsets): string {
  if (target === undefined) return 'stays';
  if (position === undefined) return 'begins there';
  const by = target - position;
  return by > 0 ? `skips ${grouped(by)}` : `reads ${grouped(-by)} again`;
}

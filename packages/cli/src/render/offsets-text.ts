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
        planned,
        isRecreated,
      } = each;
      return { input, topic, partition, position, earliest, latest, target, planned, isRecreated };
    }),
  };
}

/** `millrace offsets show`. */
export function offsetsText(report: OffsetsReport): string {
  const { partitions } = report;
  if (partitions.length === 0) return `${heading(report)}\nits log has no offsets yet\n`;
  const withEnds = partitions.some(({ latest }) => latest !== undefined);
  const ends = withEnds ? ['EARLIEST', 'LATEST', 'LAG'] : [];
  const withPlan = partitions.some(({ planned }) => planned !== null);
  const lines = textTable(
    [
      ...PARTITION_HEADS,
      ...['POSITION', ...ends].map((head) => ({ head, numeric: true })),
      ...(withPlan ? [{ head: 'PLANNED' }] : []),
    ],
    partitions.map((each) => [
      ...partitionCells(each),
      shown(each.position),
      ...(withEnds ? [shown(each.earliest), shown(each.latest), shown(lag(each))] : []),
      ...(withPlan ? [plan(each)] : []),
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

function plan({ planned }: PartitionOffsets): string {
  return planned ? `[${planned.from}, ${planned.until})` : shown(undefined);
}

function change({ position, target, planned, isRecreated }: PartitionOffsets): string {
  if (target === undefined) return isRecreated ? `stays, and there is ${OTHER_TOPIC}` : 'stays';
  // Offsets of the one say nothing of the other.
  if (isRecreated) return `begins there: ${OTHER_TOPIC}`;
  if (position === undefined) return beginning(target, planned?.from);
  const by = target - position;
  return by > 0 ? `skips ${grouped(by)}` : `reads ${grouped(-by)} again`;
}

const OTHER_TOPIC = 'another topic of that name';

/** Of a partition of which no batch was committed. `planned`: where the one begins that is given up. */
function beginning(target: number, planned: number | undefined): string {
  if (planned === undefined || target < planned) return 'begins there';
  return target === planned ? 'begins where it was planned' : `skips ${grouped(target - planned)}`;
}

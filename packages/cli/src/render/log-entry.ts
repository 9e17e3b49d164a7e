import { grouped, shortDuration } from './quantity.ts';

/** An entry of an application's log of offsets, as the driver sends it. */
export type LogEntry = BatchEntry | MovesEntry;

interface BatchEntry {
  readonly kind: 'batch';
  readonly batchTime: number;
  /** The epoch that planned it. */
  readonly epoch: number;
  readonly programHash: string;
  readonly state: 'committed' | 'planned' | 'given-up';
  readonly ranges: ReadonlyArray<{
    readonly input: number;
    readonly topic: string;
    readonly partition: number;
    readonly fromOffset: number;
    readonly untilOffset: number;
  }>;
  readonly committed: {
    readonly epoch: number;
    readonly metrics: { readonly records: number; readonly tasks: number; readonly processingMs: number };
  } | null;
}

interface MovesEntry {
  readonly kind: 'moved';
  readonly at: number;
  readonly epoch: number;
  readonly reason: 'request' | 'data-loss';
  readonly abandons: number | null;
  readonly moves: ReadonlyArray<{
    readonly input: number;
    readonly topic: string;
    readonly partition: number;
    readonly from: number | null;
    readonly to: number;
  }>;
}

export function parseLogEntry(line: string): LogEntry {
  return JSON.parse(line) as LogEntry;
}

const SHOWN_MAX = 6;

/** An entry as lines: what it is, then its offsets; `verbose`: all of them, and the program. */
export function logEntryText(entry: LogEntry, verbose: boolean): string {
  const lines = entry.kind === 'batch' ? batchLines(entry, verbose) : movesLines(entry, verbose);
  return `${lines.join('\n')}\n`;
}

function batchLines(batch: BatchEntry, verbose: boolean): readonly string[] {
  const { batchTime, epoch, programHash, ranges, committed, state } = batch;
  const span = ranges.reduce((sum, { fromOffset, untilOffset }) => sum + untilOffset - fromOffset, 0);
  const by =
    committed === null || committed.epoch === epoch
      ? `epoch ${epoch}`
      : `epochs ${epoch}, ${committed.epoch}`;
  const done = committed === null ? STATES[state] : doneText(committed.metrics);
  const program = verbose ? ` · program ${programHash.slice(0, 12)}` : '';
  const read = ranges
    .filter(({ fromOffset, untilOffset }) => untilOffset > fromOffset)
    .map(
      ({ topic, partition, fromOffset, untilOffset }) =>
        `${topic}-${partition} [${fromOffset}, ${untilOffset})`,
    );
  return [
    `${new Date(batchTime).toISOString()} · ${by} · ${grouped(span)} offsets · ${done}${program}`,
    ...shortened(read, verbose),
  ];
}

const STATES: Readonly<Record<BatchEntry['state'], string>> = {
  committed: '✓',
  planned: 'planned and not committed',
  'given-up': '✗ given up',
};

function doneText({ records, tasks, processingMs }: NonNullable<BatchEntry['committed']>['metrics']): string {
  return `${grouped(records)} rec ${tasks} tasks ✓ ${shortDuration(processingMs)}`;
}

const REASONS: Readonly<Record<MovesEntry['reason'], string>> = {
  request: 'offsets were set',
  'data-loss': 'records were gone, and skipped',
};

function movesLines({ at, epoch, reason, abandons, moves }: MovesEntry, verbose: boolean): readonly string[] {
  const givenUp = abandons === null ? '' : ` · gives up batch ${new Date(abandons).toISOString()}`;
  const moved = moves.map(
    ({ topic, partition, from, to }) => `${topic}-${partition} ${from === null ? '–' : from} → ${to}`,
  );
  return [
    `${new Date(at).toISOString()} · epoch ${epoch} · ${REASONS[reason]}${givenUp}`,
    ...shortened(moved, verbose),
  ];
}

function shortened(offsets: readonly string[], verbose: boolean): readonly string[] {
  if (offsets.length === 0) return [];
  const shown = verbose ? offsets : offsets.slice(0, SHOWN_MAX);
  const more =
    offsets.length > shown.length ? ` … and ${offsets.length - shown.length} more (--verbose)` : '';
  return [`  ${shown.join(' · ')}${more}`];
}

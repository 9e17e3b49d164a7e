import { existsSync, readFileSync } from 'node:fs';
import type { CrashPoint } from '@millrace/common';
import { type KafkaClient, topicPartitionKey } from '@millrace/kafka';
import type { Pool } from 'pg';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { checkLedger, type LedgerEntry, verdictText } from '../ledger/ledger-checker.ts';
import { savedBatches } from '../support/saved-files.ts';

const HOST: readonly CrashPoint[] = [
  'epoch-taken',
  'before-claim',
  'before-plan',
  'after-plan',
  'before-tasks',
  'tasks-running',
  'output-done',
  'before-commit',
  'after-commit',
  'segment-written',
  'segment-named',
];
const TRANSACTIONS: readonly CrashPoint[] = [...HOST, 'sink-produced', 'progress-sent', 'sink-committed'];

/** What an application under fire is judged by, when it is over: "OK", or what is wrong. */
export interface Evidence {
  readonly produced: ReadonlyMap<number, number>;
  readonly client: KafkaClient;
  /** Of the output: a topic, a file, or what directories begin with. */
  readonly out: string;
  readonly logDirectory: string;
  readonly sql: { readonly pool: Pool; readonly schema: string };
}

export interface CrashJob {
  /** Of test/jobs. */
  readonly job: string;
  readonly points: readonly CrashPoint[];
  readonly verdict: (evidence: Evidence) => Promise<string>;
}

export const OUT_PARTITIONS = 3;

export const CRASH_JOBS: Readonly<Record<string, CrashJob>> = {
  state: { job: 'crash-job', points: [...HOST, 'state-written'], verdict: stateVerdict },
  'at-least-once': { job: 'crash-job', points: [...HOST, 'sink-produced'], verdict: atLeastOnceVerdict },
  'exactly-once': {
    job: 'crash-job',
    points: [...TRANSACTIONS, 'between-claims'],
    verdict: async (evidence) => verdictText(checkLedger(evidence.produced, (await written(evidence)).rows)),
  },
  'exactly-once-shuffled': {
    job: 'crash-job',
    points: [...TRANSACTIONS, 'between-claims'],
    verdict: async (evidence) => onceVerdict(evidence, (await written(evidence)).rows.flat()),
  },
  files: {
    job: 'crash-job',
    points: [...HOST, 'files-staged', 'files-placed'],
    verdict: async ({ produced, out }) => verdictText(checkLedger(produced, savedRows(out))),
  },
  postgres: {
    job: 'postgres-job',
    points: [...TRANSACTIONS, 'between-claims'],
    verdict: postgresVerdict,
  },
};

interface Written {
  readonly rows: readonly (readonly LedgerEntry[])[];
  /** Of rows that say so: the batch time, by row. */
  readonly times: ReadonlyMap<string, ReadonlySet<number>>;
}

/** What a reader of committed records sees. */
async function written({ client, out }: Evidence): Promise<Written> {
  const times = new Map<string, Set<number>>();
  const rows: LedgerEntry[][] = [];
  const tps = Array.from({ length: OUT_PARTITIONS }, (_, partition) => ({ topic: out, partition }));
  const ends = await client.listOffsets(tps, 'latest', 'read_committed');
  for (const tp of tps) {
    const seen: LedgerEntry[] = [];
    const untilOffset = ends.get(topicPartitionKey(tp))?.offset ?? 0;
    const reader = client.reader(tp, { isolation: 'read_committed' });
    for await (const columns of reader.read({ ...tp, fromOffset: 0, untilOffset })) {
      for (let i = 0; i < columns.n; i++) {
        const { p, s, t } = JSON.parse(columns.valueString(i) ?? '') as { p: number; s: number; t?: number };
        seen.push({ partition: p, sequence: s });
        if (t !== undefined) times.set(`${p}/${s}`, (times.get(`${p}/${s}`) ?? new Set()).add(t));
      }
    }
    await reader.close();
    rows.push(seen);
  }
  return { rows, times };
}

/** What a reader of files sees, batch by batch. */
function savedRows(prefix: string): readonly (readonly LedgerEntry[])[] {
  return savedBatches(prefix).map(({ lines }) =>
    lines.map((line) => {
      const { p, s } = JSON.parse(line) as { p: number; s: number };
      return { partition: p, sequence: s };
    }),
  );
}

/** Order is not asked for. */
function onceVerdict({ produced }: Evidence, rows: readonly LedgerEntry[]): string {
  return verdictText(checkLedger(produced, [rows.toSorted((a, b) => a.sequence - b.sequence)]));
}

/** Nothing is lost, and what came twice came with the same batch. */
async function atLeastOnceVerdict(evidence: Evidence): Promise<string> {
  const { rows, times } = await written(evidence);
  const { lost, findings } = checkLedger(evidence.produced, rows);
  const strays = [...times].filter(([, batches]) => batches.size > 1).map(([row]) => row);
  if (lost === 0 && strays.length === 0) return 'OK';
  return `LOST ${lost} · in two batches: ${strays.slice(0, 10).join(', ')}\n${findings.join('\n')}`;
}

async function postgresVerdict(evidence: Evidence): Promise<string> {
  const { pool, schema } = evidence.sql;
  const rows = await pool.query<{ p: number; s: number }>(`SELECT p, s FROM ${schema}.rows`);
  const verdict = onceVerdict(
    evidence,
    rows.rows.map(({ p, s }) => ({ partition: p, sequence: s })),
  );
  const counted = await pool.query<{ key: string; count: string }>(`SELECT key, count FROM ${schema}.totals`);
  const totals = new Map(counted.rows.map(({ key, count }) => [key, Number(count)]));
  const wrong = expected(evidence.produced, 7).filter(({ key, count }) => totals.get(key) !== count);
  if (wrong.length === 0) return verdict;
  const shown = wrong.slice(0, 10).map(({ key, count }) => `${key} is ${totals.get(key)}, not ${count}`);
  return `${verdict}\ntotals: ${shown.join(', ')}`;
}

/** By "partition/remainder": how many numbers there are, and the last of them. */
function expected(
  produced: ReadonlyMap<number, number>,
  modulus: number,
): ReadonlyArray<{ readonly key: string; readonly count: number; readonly last: number }> {
  return [...produced].flatMap(([partition, records]) =>
    Array.from({ length: Math.min(modulus, records) }, (_, rest) => {
      const count = Math.ceil((records - rest) / modulus);
      return { key: `${partition}/${rest}`, count, last: rest + (count - 1) * modulus };
    }),
  );
}

interface Line {
  readonly time: number;
  readonly output: 'totals' | 'window';
  readonly rows: ReadonlyArray<readonly [string | number, unknown]>;
}

const WINDOW_MS = 1_000;

/** Totals and windows of each committed batch, every time that it ran, are those of the ranges that its log tells of. */
async function stateVerdict({ out, produced, logDirectory }: Evidence): Promise<string> {
  const text = existsSync(out) ? readFileSync(out, 'utf8') : '';
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  const batches = readLog(logDirectory).batches.filter(({ committed }) => committed !== undefined);
  const problems: string[] = [];
  const spans = batches.map(({ planned }) => ({
    time: planned.batchTime,
    ranges: planned.inputs.flatMap(({ ranges }) => ranges),
  }));
  let read = 0;
  for (const { time, ranges } of spans) {
    read += ranges.reduce((sum, { fromOffset, untilOffset }) => sum + untilOffset - fromOffset, 0);
    const lately = new Map<number, number>();
    for (const each of spans)
      if (each.time > time - WINDOW_MS && each.time <= time)
        for (const { partition, fromOffset, untilOffset } of each.ranges)
          if (untilOffset > fromOffset)
            lately.set(partition, (lately.get(partition) ?? 0) + untilOffset - fromOffset);
    const ran = lines.filter((line) => line.time === time);
    for (const output of ['totals', 'window'])
      if (!ran.some((line) => line.output === output)) problems.push(`batch ${time} has no ${output}`);
    for (const { output, rows } of ran) {
      const sum = rows.reduce((total, [, row]) => total + (row as { count: number }).count, 0);
      if (output === 'totals' && sum !== read)
        problems.push(`batch ${time} has totals of ${sum}, not of ${read}`);
      const shown = JSON.stringify(rows.toSorted(([a], [b]) => Number(a) - Number(b)));
      const wanted = JSON.stringify([...lately].toSorted(([a], [b]) => a - b));
      if (output === 'window' && shown !== wanted)
        problems.push(`batch ${time} has the window ${shown}, not ${wanted}`);
    }
  }
  const last = new Map(lines.findLast(({ output }) => output === 'totals')?.rows);
  for (const { key, ...wanted } of expected(produced, 4)) {
    const found = JSON.stringify(last.get(key));
    const right = JSON.stringify({ ...wanted, isOrdered: true });
    if (found !== right) problems.push(`${key} ends as ${found}, not ${right}`);
  }
  return problems.length === 0 ? 'OK' : problems.slice(0, 20).join('\n');
}

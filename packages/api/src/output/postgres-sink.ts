import { hash } from 'node:crypto';
import { serialize } from 'node:v8';
import { type ConfigSchema, duration, MillraceError, resolveConfig, text } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { checkFunction } from '../element-function.ts';
import type { SqlClient, SqlPool } from '../postgres/sql-client.ts';
import type { PostgresClaim, PostgresSettings } from '../postgres/write-once.ts';
import type { RDD } from '../rdd.ts';
import type { Rows } from '../rows.ts';
import type { StreamNode } from '../stream/stream-node.ts';
import type { OutputRun } from './output-run.ts';

const PROGRESS_TABLE = 'millrace_progress';

/** Options of toPostgres that are no functions. */
const POSTGRES_SINK_OPTIONS = {
  progressTable: text({
    doc: 'the table of what has been written, "schema.table" too; it is made when it is not there',
    default: PROGRESS_TABLE,
    pattern: /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/,
  }),
  idleTimeout: duration({
    doc: 'PostgreSQL ends the transaction of a task that asks nothing of it for so long: others wait for its locks until then',
    default: 60_000,
    min: 100,
    max: 24 * 3_600_000,
  }),
} satisfies ConfigSchema;

/** How the names begin by which logs know these outputs. */
export const POSTGRES_LOGGED = 'postgres:';

/** What the log knows an output by. In another table its progress is not found, as under another name. */
export function loggedPostgres(
  name: string,
  { progressTable = PROGRESS_TABLE }: Pick<PostgresSinkOptions<never>, 'progressTable'>,
): string {
  return `${POSTGRES_LOGGED}${name}${progressTable === PROGRESS_TABLE ? '' : ` in ${progressTable}`}`;
}

export interface PostgresSinkOptions<T> {
  /** Connections, one set an executor process: `perExecutor(() => new pg.Pool({ … }))`. */
  readonly pool: () => SqlPool | Promise<SqlPool>;
  /** Writes the rows of a partition, in a transaction that is under way; it is not called for every partition without rows. */
  readonly write: (rows: Rows<T>, client: SqlClient) => void | Promise<void>;
  readonly progressTable?: string;
  readonly idleTimeout?: number | string;
}

/** A toPostgres output, checked. */
export interface PostgresCall {
  readonly functions: readonly [Function, Function];
  readonly settings: Pick<PostgresSettings, 'output' | 'progressTable' | 'idleTimeoutMs'>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @throws MillraceError JOB_INVALID, CONFIG_INVALID. */
export function postgresCall<T>(name: unknown, options: PostgresSinkOptions<T>): PostgresCall {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new MillraceError('JOB_INVALID', `toPostgres() needs a name, got ${JSON.stringify(name)}`, {
      remedy:
        'Give the output a name of letters, digits, ".", "_" and "-": its progress is found by it. Keep it when the job changes.',
    });
  }
  const { pool, write, ...rest } = Object(options) as PostgresSinkOptions<T>;
  checkFunction('toPostgres: pool', pool);
  checkFunction('toPostgres: write', write);
  const { progressTable, idleTimeout } = resolveConfig(POSTGRES_SINK_OPTIONS, rest, 'toPostgres');
  return {
    functions: [pool, write],
    settings: { output: name, progressTable, idleTimeoutMs: Math.ceil(idleTimeout) },
  };
}

/** What the task that takes the output over for a run is given. */
export function claimSettings({ settings }: PostgresCall, run: OutputRun): Uint8Array {
  const { program, taskTimeoutMs, log, pendingBatch, lastCommitted, isAnew = false } = run;
  const all: PostgresClaim = {
    ...settings,
    taskTimeoutMs,
    log,
    run: { pendingBatch, lastBatch: pendingBatch ?? lastCommitted, isAnew, planMark: planMark(program) },
  };
  return serialize(all);
}

/** What the tasks of a batch are given. */
export function batchSettings(
  { settings }: PostgresCall,
  { offsetRanges, partitions }: Pick<RDD<unknown>, 'offsetRanges' | 'partitions'>,
  isDirect: boolean,
  { program, taskTimeoutMs, log, lastCommitted }: OutputRun,
): Uint8Array {
  const spans = offsetRanges.map(({ topic, partition, fromOffset, untilOffset }) =>
    [topic, partition, fromOffset, untilOffset].join(' '),
  );
  const plan = JSON.stringify([program, isDirect, partitions, spans.toSorted()]);
  const all: PostgresSettings = {
    ...settings,
    taskTimeoutMs,
    log,
    after: lastCommitted,
    planHash: planMark(program) + hash('sha256', plan, 'hex').slice(0, 32),
    ...(isDirect && { ranges: offsetRanges.map(plainRange) }),
  };
  return serialize(all);
}

/** A run that begins has no plan yet, and must know those of its program. */
function planMark(program: string): string {
  return `${hash('sha256', program, 'hex').slice(0, 16)}-`;
}

/** Each task partition is the next range of one partition of a topic: the stream reads each once, batch after batch. */
export function isDirectStream(node: StreamNode): boolean {
  let below = node;
  while (below.kind === 'operator' || below.kind === 'persisted') below = below.parent;
  return below.kind === 'direct-kafka';
}

function plainRange({ topic, partition, fromOffset, untilOffset }: OffsetRange): OffsetRange {
  return { topic, partition, fromOffset, untilOffset };
}

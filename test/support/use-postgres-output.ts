import { afterEach, beforeEach } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { SqlClient, SqlPool } from '../../packages/api/src/postgres/sql-client.ts';
import { claimOutput, type PostgresSettings, writeOnce } from '../../packages/api/src/postgres/write-once.ts';
import { usePostgresUnderTest } from './use-postgres-under-test.ts';

/** A task of the output "out" of the application "app". */
export interface Attempt {
  readonly epoch?: number;
  readonly time?: number;
  /** The last batch that the log has done; default: any before `time`. */
  readonly after?: number;
  readonly partition?: number;
  /** [from, until) of a topic; absent: behind a shuffle. */
  readonly range?: readonly [number, number];
  readonly planHash?: string;
  readonly idleTimeoutMs?: number;
  readonly taskTimeoutMs?: number;
  readonly log?: string;
  readonly signal?: AbortSignal;
  /** Of another server: no row is written. */
  readonly pool?: SqlPool;
  readonly progressTable?: string;
  /** Beside writing one row. */
  readonly also?: (client: SqlClient) => unknown;
}

/** Id of the application's log. */
const LOG = 'log-1';

interface Claim {
  readonly epoch: number;
  readonly pendingBatch?: number;
  /** Default: as late as it needs to be. */
  readonly lastBatch?: number;
  readonly isAnew?: boolean;
  readonly log?: string;
  readonly planMark?: string;
  readonly idleTimeoutMs?: number;
}

const codeOf = (error: unknown): string => (MillraceError.is(error) ? error.code : String(error));

/** An output whose tasks a test runs by hand, on a real server, with tables that are fresh for each test. Call it at the top of a test file. */
export function usePostgresOutput() {
  const postgres = usePostgresUnderTest();
  const table = (): string => `${postgres.schema}.progress`;
  const written = (): string => `${postgres.schema}.written`;
  beforeEach(async () => {
    await postgres.pool.query(`CREATE TABLE ${written()} (text text)`);
  });
  afterEach(async () => {
    await postgres.pool.query(`DROP TABLE IF EXISTS ${written()}, ${table()}`);
  });

  /** Resolves to whether it wrote. */
  async function write(text: string, given: Attempt = {}): Promise<boolean> {
    const { epoch = 1, time = 1000, partition = 0, range, planHash, also } = given;
    const { idleTimeoutMs = 5_000, taskTimeoutMs = 30_000 } = given;
    const spans: OffsetRange[] = [];
    if (range) spans[partition] = { topic: 'orders', partition, fromOffset: range[0], untilOffset: range[1] };
    const settings: PostgresSettings = {
      output: 'out',
      progressTable: given.progressTable ?? table(),
      planHash: planHash ?? `plan of ${time}`,
      after: given.after ?? time - 1,
      idleTimeoutMs,
      taskTimeoutMs,
      log: given.log ?? LOG,
      ...(range && { ranges: spans }),
    };
    const signal = given.signal ?? new AbortController().signal;
    const task = { application: 'app', epoch, batchTime: time, partitionId: partition, signal };
    let ran = false;
    await writeOnce(given.pool ?? postgres.pool, settings, task, async (client) => {
      ran = true;
      if (given.pool === undefined) await client.query(`INSERT INTO ${written()} VALUES ($1)`, [text]);
      await also?.(client);
    });
    return ran;
  }

  return {
    postgres,
    table,
    write,
    /** "written", "there already", or what it failed with. */
    attempt: (text: string, given: Attempt = {}): Promise<string> =>
      write(text, given).then((ran) => (ran ? 'written' : 'there already'), codeOf),
    /** "claimed", or what it failed with. */
    claim: ({
      epoch,
      pendingBatch,
      lastBatch = pendingBatch ?? Number.MAX_SAFE_INTEGER,
      isAnew = false,
      log = LOG,
      planMark = 'none-',
      idleTimeoutMs = 5_000,
    }: Claim): Promise<string> => {
      const output = { output: 'out', progressTable: table(), idleTimeoutMs, taskTimeoutMs: 30_000, log };
      const task = { application: 'app', epoch, signal: new AbortController().signal };
      const run = { pendingBatch, lastBatch, isAnew, planMark };
      return claimOutput(postgres.pool, { ...output, run }, task).then(() => 'claimed', codeOf);
    },
    texts: async (): Promise<readonly string[]> => {
      const { rows } = await postgres.pool.query<{ text: string }>(
        `SELECT text FROM ${written()} ORDER BY text`,
      );
      return rows.map(({ text }) => text);
    },
    untilOffset: async (partition = 0): Promise<number | undefined> => {
      const { rows } = await postgres.pool.query<{ until: string }>(
        `SELECT until_offset AS until FROM ${table()} WHERE application = 'app' AND output = 'out' AND topic = 'orders' AND partition = $1`,
        [partition],
      );
      return rows[0] && Number(rows[0].until);
    },
  };
}

/** Holds a transaction open. */
export function gated(): { readonly reached: Promise<void>; pass(): Promise<void>; open(): void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    pass() {
      reached.resolve();
      return gate.promise;
    },
    open: () => gate.resolve(),
  };
}

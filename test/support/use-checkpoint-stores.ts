// What the suites of checkpoint stores share.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { MillraceError, silentLogger, systemClock } from '@millrace/common';
import { encodeStateSection } from '@millrace/proto/task';
import {
  type CheckpointFiles,
  type CheckpointStore,
  IN_DIRECTORY,
  openCheckpointStore,
} from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { ApplicationLog } from '../../packages/driver/src/application/log/application-log.ts';
import type { PlannedBatch } from '../../packages/driver/src/application/log/log-record.ts';
import { type PostgresOfFile, usePostgresUnderTest } from './use-postgres-under-test.ts';

const METRICS = { records: 10, tasks: 1, processingMs: 1 };

interface CheckpointStores {
  readonly postgres: PostgresOfFile;
  /** Of the file's own; it goes after the tests. */
  readonly directory: string;
  readonly deps: Parameters<typeof openCheckpointStore>[2];
  readonly inDirectory: () => Promise<CheckpointStore>;
  readonly inPostgres: () => Promise<CheckpointStore>;
}

/** Call it at the top of a test file. */
export function useCheckpointStores(): CheckpointStores {
  const postgres = usePostgresUnderTest();
  const directory = mkdtempSync(join(tmpdir(), 'millrace-checkpoint-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const deps = { clock: systemClock, logger: silentLogger };
  return {
    postgres,
    directory,
    deps,
    inDirectory: () => openCheckpointStore(IN_DIRECTORY, directory, deps),
    inPostgres: () => openCheckpointStore(postgres.url, directory, deps),
  };
}

/** Batch n reads [10n, 10n + 10). */
export function batch(n: number): Omit<PlannedBatch, 'epoch'> {
  const range = { topic: 't', partition: 0, fromOffset: 10 * n, untilOffset: 10 * n + 10 };
  const inputs = [{ inputId: 0, ranges: [{ ...range, topicId: 'A', leaderEpoch: 1 }] }];
  return { batchTime: 1000 * (n + 1), programHash: 'p', planHash: `h${n}`, intervals: 1, inputs };
}

/** Of keyed state: a header, and so many bytes. */
export function section(bodyBytes: number, fill: number): Buffer {
  const meta = {
    application: 'a',
    operator: 'o',
    partition: 0,
    layout: 'hash/1',
    valueVersion: 0,
    kind: 'snapshot',
    version: `v${fill}`,
    epoch: 1,
    batchTime: 1000,
    keys: 1,
    changed: 1,
    removed: 0,
  } as const;
  return encodeStateSection(meta, [Buffer.alloc(bodyBytes, fill)]);
}

export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'none';
}

/** One run of an application. */
export class LoggedRun {
  readonly files: CheckpointFiles;
  readonly log: ApplicationLog;

  private constructor(files: CheckpointFiles, log: ApplicationLog) {
    this.files = files;
    this.log = log;
  }

  static async start(
    store: CheckpointStore,
    application: string,
    options: Partial<Parameters<typeof ApplicationLog.open>[0]> = {},
    opened?: CheckpointFiles,
  ): Promise<LoggedRun> {
    const files = opened ?? (await store.open(application));
    await files.log.take?.();
    const limits = { segmentBytes: 1 << 20, segmentsRetained: 8 };
    const log = ApplicationLog.open({ files: files.log, logger: silentLogger, ...limits, ...options });
    await log.settled();
    return new LoggedRun(files, log);
  }

  get next(): number {
    return (this.log.state.lastCommitted ?? 0) / 1000;
  }

  async plan(n: number): Promise<void> {
    this.log.plan(batch(n));
    await this.log.settled();
  }

  async commit(n: number): Promise<void> {
    this.log.commit(batch(n).batchTime, METRICS);
    await this.log.settled();
  }

  async batches(end: number): Promise<void> {
    for (let n = this.next; n < end; n++) {
      await this.plan(n);
      await this.commit(n);
    }
  }
}

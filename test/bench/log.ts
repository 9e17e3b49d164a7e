// bench -- log: what both records of a batch cost, plan and commit, each durable before the next step; in a directory and in PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@millrace/common';
import {
  IN_DIRECTORY,
  openCheckpointStore,
} from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { ApplicationLog } from '../../packages/driver/src/application/log/application-log.ts';
import { postgresUnderTest } from '../brokers/postgres.ts';
import { type BenchResult, NOTHING, percentile, rounded } from './bench-result.ts';

const BATCHES = 2_000;
const WARM_UP = 200;
const PARTITIONS = 8;

/** ms of both records, batch by batch. */
async function batchMs(location: string, directory: string): Promise<readonly number[]> {
  const store = await openCheckpointStore(location, directory, { clock: systemClock, logger: silentLogger });
  const { log: files } = await store.open(`bench-${process.pid}`);
  await files.take?.();
  const log = ApplicationLog.open({
    files,
    logger: silentLogger,
    segmentBytes: 1 << 20,
    segmentsRetained: 8,
  });
  await log.settled();
  const took: number[] = [];
  for (let n = 0; n < BATCHES + WARM_UP; n++) {
    const ranges = Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: 'events',
      partition,
      fromOffset: 1000 * n,
      untilOffset: 1000 * n + 1000,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      leaderEpoch: 1,
    }));
    const batchTime = 1000 * (n + 1);
    const programHash = 'p'.repeat(32);
    const begun = performance.now();
    log.plan({
      batchTime,
      programHash,
      planHash: programHash,
      intervals: 1,
      inputs: [{ inputId: 0, ranges }],
    });
    await log.settled();
    log.commit(batchTime, { records: 8000, tasks: PARTITIONS, processingMs: 12.5 });
    await log.settled();
    took.push(performance.now() - begun);
  }
  log.close();
  await store.close();
  return took.slice(WARM_UP);
}

export async function logRecords(): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-log-'));
  const postgres = await postgresUnderTest();
  try {
    const inDirectory = await batchMs(IN_DIRECTORY, directory);
    const inPostgres = await batchMs(postgres.url, directory);
    return {
      ...NOTHING,
      bench: 'log',
      batchMsP50: rounded(percentile(inDirectory, 50), 3),
      batchMsP99: rounded(percentile(inDirectory, 99), 3),
      batches: BATCHES,
      settings: {
        partitions: PARTITIONS,
        postgresMsP50: rounded(percentile(inPostgres, 50), 3),
        postgresMsP99: rounded(percentile(inPostgres, 99), 3),
      },
    };
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

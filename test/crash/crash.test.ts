// A process kills itself at a named point of the code; afterwards nothing may be lost, or seen twice. See CONTRIBUTING.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CRASH_POINTS, type CrashPoint, type Random, seededRandom } from '@millrace/common';
import { checkLogDirectory } from '../../packages/driver/src/application/log/check-log.ts';
import { directoryLogFiles } from '../../packages/driver/src/application/log/log-files.ts';
import { recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { endOf } from '../support/process-end.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { seedOf } from '../support/seed.ts';
import { shuffled } from '../support/shuffled.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';
import { CRASH_JOBS, type CrashJob, OUT_PARTITIONS } from './crash-jobs.ts';
import { armedBy, CrashRun } from './crash-run.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
/** Kills of each point, in the long run. */
const ROUNDS = Number(process.env['MILLRACE_CRASH_ROUNDS'] ?? 10);
/** Points that are chosen, otherwise. */
const CHOSEN = 2;
const TIMEOUT_MS = LONG ? 3_600_000 : 120_000;
const PARTITIONS = 3;

const kafka = useKafkaUnderTest();
const postgres = usePostgresUnderTest();
const seed = seedOf('crashes');
let cluster: TestCluster;
let arming: string;
beforeAll(async () => {
  arming = join(tmpdir(), `millrace-crash-${randomUUID()}`);
  cluster = await TestCluster.start(kafka.brokers, 2, [], [], armedBy(arming));
  await postgres.pool.query(
    `CREATE TABLE ${postgres.schema}.rows (p int, s int); CREATE TABLE ${postgres.schema}.totals (key text PRIMARY KEY, count bigint)`,
  );
}, 120_000);
afterAll(() => cluster?.close(), 60_000);

/** The points in the order in which they are killed. */
function schedule(points: readonly CrashPoint[], random: Random): readonly CrashPoint[] {
  if (!LONG) return shuffled(points, random).slice(0, CHOSEN);
  return Array.from({ length: ROUNDS }, () => shuffled(points, random)).flat();
}

async function underCrashes(kind: string, { job, points, verdict }: CrashJob): Promise<void> {
  // Another one for each job: a short run sees more points.
  const random = seededRandom(seed + 7919 * Object.keys(CRASH_JOBS).indexOf(kind));
  const topic = await kafka.topic(`crash-${kind}`, PARTITIONS);
  const out =
    kind === 'state' || kind === 'files'
      ? join(cluster.directory, `${kind}.jsonl`)
      : await kafka.topic(`crash-${kind}-out`, OUT_PARTITIONS);
  const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
  const application = `crash-${kind}-${randomUUID().slice(0, 8)}`;
  const { schema, url, pool } = postgres;
  const followed = cluster.submit(
    job,
    {
      CRASH_NAME: application,
      CRASH_KIND: kind,
      CRASH_TOPIC: topic,
      CRASH_OUT: out,
      PG_NAME: application,
      PG_TOPIC: topic,
      PG_URL: url,
      PG_SCHEMA: schema,
    },
    { logSegmentBytes: 4096, logSegmentsRetained: 10_000, batchInterval: '200ms' },
  );
  const run = new CrashRun({ cluster, arming, application, job: followed, topic, producer, random });
  let said = 'not OK';
  let batches = 0;
  try {
    await run.progress();
    for (const point of schedule(points, random)) await run.kill(point);
    await run.settle();
    const stopped = await cluster.cli(['stop', application, '--drain', '--driver', cluster.address]);
    expect({ code: stopped.code, exited: await endOf(followed) }).toEqual({ code: 0, exited: 0 });
    const { logDirectory } = run;
    said = await verdict({
      produced: producer.produced,
      client: kafka.client,
      out,
      logDirectory,
      sql: { pool, schema },
    });
    const check = await checkLogDirectory(logDirectory);
    batches = check?.committed ?? 0;
    expect({ verdict: said, log: check?.findings, read: check?.partitions.map(({ read }) => read) }).toEqual({
      verdict: 'OK',
      log: [],
      read: [...producer.produced.values()],
    });
    // Also what a host committed that died before it told of it.
    const { batches: told, records } = (await cluster.status(application)) ?? {};
    const { sums } = recoverLog(directoryLogFiles(logDirectory)).state;
    expect({ batches: told, records }).toEqual({ batches, records: sums.records });
    expect(sums.batches).toBe(batches);
  } catch (error) {
    const events = followed.events.filter((event) => event['kind'] !== 'batch').slice(-20);
    process.stderr.write(`${followed.stderr}\n${JSON.stringify(events, null, 1)}\n`);
    throw error;
  } finally {
    run.stop();
    process.stderr.write(
      `crash ${kind}: seed ${seed}, ${run.summary()}; ${producer.total} records in ${batches} batches: ${said.split('\n')[0]}\n`,
    );
    // Of a test that failed: the next one is not to die by what this one armed.
    rmSync(arming, { force: true });
    if (said !== 'OK') await cluster.cli(['kill', application, '--driver', cluster.address]);
  }
}

it('every crash point belongs to a job', () => {
  const used = Object.values(CRASH_JOBS).flatMap(({ points }) => points);
  expect(CRASH_POINTS.filter((point) => !used.includes(point))).toEqual([]);
});

describe('whatever dies, wherever it dies, nothing is lost, and nothing counts twice:', () => {
  it.each(Object.entries(CRASH_JOBS))('%s', (kind, job) => underCrashes(kind, job), TIMEOUT_MS);
});

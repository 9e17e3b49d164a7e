// Logs and keyed state in PostgreSQL, under fire. A real server: postgresUnderTest.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { openCheckpointStore } from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { recordsRead, stateLines, sumOf } from '../support/state-job-run.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';

const TIMEOUT_MS = 180_000;
const PARTITIONS = 3;

const kafka = useKafkaUnderTest();
const postgres = usePostgresUnderTest();

it(
  'keeps keyed state exact while executors, the host and the driver are killed, and nothing in the state directory',
  async () => {
    const topic = await kafka.topic('checkpoint', PARTITIONS);
    const checkpoint = ['--checkpoint-store', postgres.url];
    const cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '1'], checkpoint);
    const store = await openCheckpointStore(postgres.url, '', { clock: systemClock, logger: silentLogger });
    const name = `checkpoint-${randomUUID().slice(0, 8)}`;
    const file = join(cluster.directory, 'lines.json');
    const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
    const read = async () => recordsRead(readLog((await store.open(name)).log));
    const more = async (batches: number): Promise<void> => {
      const wanted = (await read()).size + batches;
      await until(`${wanted} batches`, async () => (await read()).size >= wanted, 60_000);
    };
    try {
      await producer.append(100);
      cluster.submit(
        'state-job',
        { STATE_NAME: name, STATE_TOPIC: topic, STATE_FILE: file },
        { logSegmentsRetained: 1000 },
      );
      await more(3);
      const [victim] = cluster.executors.splice(0, 1);
      if (victim) await cluster.kill(victim);
      await producer.append(100);
      await cluster.startExecutor(['--slots', '1']);
      await more(2);
      process.kill(await cluster.hostPid(name), 'SIGKILL');
      await producer.append(100);
      await more(2);
      await cluster.kill(cluster.driver);
      await cluster.startDriver();
      await producer.append(100);
      await until('all records', async () => [...(await read()).values()].at(-1) === producer.total, 60_000);
      await more(1);
      const shown = await cluster.cli(['offsets', 'show', name, '--driver', cluster.address]);
      const log = await cluster.cli(['log', name, '--driver', cluster.address]);
      expect([shown.code, log.code, log.stdout.split('\n').length > 5]).toEqual([0, 0, true]);
      const keys = await cluster.cli(['state', 'ls', name, '--checkpoint-store', postgres.url, '--json']);
      expect(JSON.parse(keys.stdout)).toMatchObject({
        operators: [
          { name: 'totals', keys: producer.total },
          { name: 'sessions', keys: producer.total },
        ],
      });
      const key = '{"p":1,"s":7}';
      const got = await cluster.cli([
        'state',
        'get',
        name,
        'totals',
        key,
        '--checkpoint-store',
        postgres.url,
      ]);
      expect([got.code, got.stdout]).toEqual([0, '1\n']);
      const stopped = await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect(stopped.code).toBe(0);
      const checked = await cluster.cli(['check-log', name, '--checkpoint-store', postgres.url, '--json']);
      expect(JSON.parse(checked.stdout)).toMatchObject({ findings: [], state: { operators: 2 } });

      const committed = await read();
      const lines = stateLines(file);
      for (const line of lines)
        if (committed.has(line.time))
          expect({ line, sum: sumOf(line) }).toEqual({ line, sum: committed.get(line.time) });
      const last = [...committed.keys()].at(-1);
      expect(lines.filter(({ time }) => time === last)).toHaveLength(2);
      const state = (await store.open(name)).state.list();
      expect(state.length).toBeGreaterThan(0);
      expect(existsSync(join(cluster.stateDir, 'applications', name, 'log'))).toBe(false);
    } finally {
      await store.close();
      await cluster.close();
    }
  },
  TIMEOUT_MS,
);

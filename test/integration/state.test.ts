import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { randomInt, seededRandom } from '@millrace/common';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { childPids } from '../support/child-pids.ts';
import { seedOf } from '../support/seed.ts';
import { shuffled } from '../support/shuffled.ts';
import { recordsRead, stateLines, sumOf } from '../support/state-job-run.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const TIMEOUT_MS = LONG ? 1_800_000 : 240_000;
const PARTITIONS = 3;
const BATCHES = LONG ? 500 : 100;
const KEYS = 40;
const PAUSE_MS_MAX = 300;
/** A host that is lost more than five times in ten minutes is not started again. */
const HOSTS_MAX = 4;
/** Each once at least, in any order. */
const DEATHS = ['slot', 'executor', 'slot', 'host', 'slot', 'driver', 'executor'] as const;

const kafka = useKafkaUnderTest();

describe('keyed state on two executors', () => {
  it(
    `is exact over ${BATCHES} batches in which slots, executors, the host and the driver are killed`,
    async () => {
      const seed = seedOf('keyed state under kills');
      const random = seededRandom(seed);
      const kills: string[] = [];
      const topic = await kafka.topic('state', PARTITIONS);
      const cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '1']);
      const name = `state-${randomUUID().slice(0, 8)}`;
      const file = join(cluster.directory, 'lines.json');
      const log = join(cluster.stateDir, 'applications', name, 'log');
      let produced = 0;
      const producer = kafka.client.producer();
      const produce = async (): Promise<void> => {
        const records = Array.from({ length: 60 }, () => {
          const index = produced++;
          return { partition: index % PARTITIONS, value: `k${(index * 7919) % KEYS} x` };
        });
        await producer.send(topic, records);
      };
      const committed = (): number => (existsSync(log) ? recordsRead(readLog(log)).size : 0);
      const more = (batches: number): Promise<unknown> => {
        const wanted = committed() + batches;
        return until(`${wanted} batches`, () => committed() >= wanted, 60_000);
      };
      const kill = (pid: number | undefined): void => {
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
      };
      const killers = {
        executor: async () => {
          const [victim] = cluster.executors.splice(randomInt(random, cluster.executors.length), 1);
          if (victim) await cluster.kill(victim);
          await cluster.startExecutor(['--slots', '1']);
        },
        slot: () => {
          for (const { pid } of cluster.executors) kill(childPids(pid)[0]);
        },
        host: () => {
          for (const pid of childPids(cluster.driver.pid)) kill(pid);
        },
        driver: async () => {
          await cluster.kill(cluster.driver);
          await cluster.startDriver();
        },
      };
      const die = async (kind: (typeof DEATHS)[number]): Promise<void> => {
        const hosts = kills.filter((known) => known === 'host').length;
        const victim = kind === 'host' && hosts === HOSTS_MAX ? 'slot' : kind;
        await produce();
        await new Promise((resolve) => setTimeout(resolve, randomInt(random, PAUSE_MS_MAX)));
        kills.push(victim);
        await killers[victim]();
        await produce();
        await more(1 + randomInt(random, 4));
      };
      try {
        await produce();
        cluster.submit('state-job', { STATE_NAME: name, STATE_TOPIC: topic, STATE_FILE: file });
        await more(5);
        for (const kind of shuffled(DEATHS, random)) await die(kind);
        while (committed() < BATCHES) {
          if (LONG) await die(DEATHS[randomInt(random, DEATHS.length)] ?? 'slot');
          await produce();
          await more(3);
        }
        await until('all records', () => [...recordsRead(readLog(log)).values()].at(-1) === produced, 60_000);
        const stopped = await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
        expect(stopped.code).toBe(0);

        const read = recordsRead(readLog(log));
        const lines = stateLines(file);
        expect(read.size).toBeGreaterThanOrEqual(BATCHES);
        // Every batch, each time that it ran: neither lost nor doubled, in both operators.
        for (const line of lines)
          if (read.has(line.time))
            expect({ line, sum: sumOf(line) }).toEqual({ line, sum: read.get(line.time) });
        for (const time of read.keys())
          expect(lines.filter((line) => line.time === time).length).toBeGreaterThanOrEqual(2);
        const expected = new Map<string, number>();
        for (let index = 0; index < produced; index++) {
          const key = `k${(index * 7919) % KEYS}`;
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
        const last = [...read.keys()].at(-1);
        for (const output of ['totals', 'sessions']) {
          const { rows = [] } = lines.findLast((line) => line.time === last && line.output === output) ?? {};
          expect(new Map(rows)).toEqual(expected);
        }
      } finally {
        process.stderr.write(`state: seed ${seed}, ${kills.length} kills (${kills.join(', ')})\n`);
        await producer.close();
        await cluster.close();
      }
    },
    TIMEOUT_MS,
  );
});

describe('examples/running-totals', () => {
  it(
    'adds up on two executors',
    async () => {
      const topic = await kafka.topic('purchases', 2);
      const cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '1']);
      const producer = kafka.client.producer();
      const buy = (user: string, cents: number): Promise<unknown> =>
        producer.send(topic, [{ partition: user.length % 2, value: JSON.stringify({ user, cents }) }]);
      try {
        await buy('ann', 250);
        const job = cluster.submit('../../examples/running-totals/job', {
          PURCHASES_TOPIC: topic,
          VISIT_TIMEOUT: '1s',
        });
        await until(
          'the first total',
          () => job.output.some((line) => line.includes('ann 2.50 EUR')),
          60_000,
        );
        await buy('jules', 300);
        await buy('ann', 100);
        await until(
          'the totals',
          () => job.output.some((line) => line.includes('ann 3.50 EUR, jules 3.00 EUR')),
          60_000,
        );
        await until(
          'visits that are over',
          () => job.output.some((line) => line.includes('jules left after 1 purchases')),
          60_000,
        );
        const stopped = await cluster.cli(['stop', 'running-totals', '--drain', '--driver', cluster.address]);
        expect(stopped.code).toBe(0);
      } finally {
        await producer.close();
        await cluster.close();
      }
    },
    TIMEOUT_MS,
  );
});

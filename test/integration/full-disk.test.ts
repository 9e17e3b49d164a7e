import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import { checkLogDirectory } from '../../packages/driver/src/application/log/check-log.ts';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { figure, seconds } from '../support/figure.ts';
import { until } from '../support/until.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { useEmbed } from '../support/use-embed.ts';

const END = { timeoutMs: 20_000 };

const kafka = useDevBroker();
const embed = useEmbed();
let topics = 0;

const mount = (...args: readonly string[]): boolean => spawnSync('mount', args).status === 0;

/** A file system of its own, and small; false: this user may mount none. */
class SmallDisk {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
  readonly isThere = mount('-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', this.directory);

  fill(): void {
    for (const bytes of [4096, 1])
      try {
        for (;;) appendFileSync(join(this.directory, 'filler'), Buffer.alloc(bytes));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
  }

  empty(): void {
    rmSync(join(this.directory, 'filler'));
  }

  remount(how: 'ro' | 'rw'): void {
    expect(mount('-o', `remount,${how}`, this.directory)).toBe(true);
  }

  close(): void {
    if (this.isThere) spawnSync('umount', ['-l', this.directory]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const probe = new SmallDisk();
const canMount = probe.isThere;
probe.close();
const test = canMount ? it : it.skip;

async function application(disk: SmallDisk) {
  const topic = `disk-${topics++}`;
  kafka.broker.createTopic(topic, { partitions: 1 });
  /** Of each batch time, the offsets of its last run. */
  const batches = new Map<number, readonly number[]>();
  const job = defineJob({ name: 'app', batchInterval: '20ms' }, (ssc) => {
    const options = { brokers: kafka.broker.brokers, groupId: topic, startFrom: 'earliest' } as const;
    ssc.kafka
      .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, options))
      .map(({ offset }) => offset)
      .foreachRDD(async (rdd, time) => {
        batches.set(time, await rdd.collect());
      });
  });
  const producer = kafka.client.producer();
  return {
    seen: () => [...batches.values()].flat(),
    batches,
    log: join(disk.directory, 'app', 'log'),
    produce: (records: number) =>
      producer.send(
        topic,
        Array.from({ length: records }, () => ({ partition: 0, value: 'x' })),
      ),
    start: async () => {
      const running = await embed(job, { stateDir: disk.directory });
      await running.start();
      return running;
    },
  };
}

async function withDisk(use: (disk: SmallDisk) => Promise<void>): Promise<void> {
  const disk = new SmallDisk();
  try {
    await use(disk);
  } finally {
    disk.close();
  }
}

describe(`the disk of the log${canMount ? '' : ' (skipped: this user may mount no file system)'}`, () => {
  test('is full: the application ends with a code, runs nothing that is not planned, and goes on when there is room', () =>
    withDisk(async (disk) => {
      const { seen, batches, log, produce, start } = await application(disk);
      const first = await start();
      await produce(10);
      await until('the first records', () => seen().length === 10);
      disk.fill();
      const began = performance.now();
      await Promise.all([
        expect(first.awaitTermination(END)).rejects.toMatchObject({
          code: 'LOG_WRITE_FAILED',
          retryable: false,
        }),
        produce(10),
      ]);
      const ms = Math.round(performance.now() - began);
      expect(ms).toBeLessThan(5_000);
      const planned = new Set(readLog(log).batches.map(({ planned: { batchTime } }) => batchTime));
      expect([...batches.keys()].filter((time) => !planned.has(time))).toEqual([]);
      const ran = batches.size;

      // Still full: refused with the same code, and nothing is begun afresh.
      await expect(start().then((again) => again.awaitTermination(END))).rejects.toMatchObject({
        code: 'LOG_WRITE_FAILED',
      });
      disk.empty();
      const second = await start();
      await produce(10);
      await until('all records', () => seen().length === 30);
      await second.stop();
      expect(seen()).toEqual(Array.from({ length: 30 }, (_, offset) => offset));
      expect((await checkLogDirectory(log))?.findings).toEqual([]);
      figure(
        20,
        `LOG_WRITE_FAILED ${seconds(ms)} after the disk was full; 0 of ${ran} batches ran without a durable plan; with room again 30 records, 0 lost, 0 twice`,
      );
    }));

  test('may only be read: refused at the start with a code; it goes on when it may be written', () =>
    withDisk(async (disk) => {
      const { seen, log, produce, start } = await application(disk);
      const first = await start();
      await produce(10);
      await until('the first records', () => seen().length === 10);
      await first.stop();
      disk.remount('ro');
      await expect(start().then((again) => again.awaitTermination(END))).rejects.toMatchObject({
        code: 'LOG_WRITE_FAILED',
      });
      disk.remount('rw');
      await produce(10);
      const second = await start();
      await until('all records', () => seen().length === 20);
      await second.stop();
      expect((await checkLogDirectory(log))?.findings).toEqual([]);
    }));
});

// A changed program is submitted while a batch of the one before is half written; and it is rolled back.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { figure } from '../support/figure.ts';
import { type CliResult, TestCluster } from '../support/test-cluster.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;
const PARTITIONS = 2;

const kafka = useKafkaUnderTest();
const clusters: TestCluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

/** An application whose program is submitted again and again with other settings. */
class Versions {
  readonly name = `versions-${randomUUID().slice(0, 8)}`;
  readonly cluster: TestCluster;
  readonly #topic: string;
  readonly #out: string;
  readonly #gate: string;

  private constructor(cluster: TestCluster, topic: string, out: string) {
    this.cluster = cluster;
    this.#topic = topic;
    this.#out = out;
    this.#gate = join(cluster.directory, 'gate');
  }

  static async start(): Promise<Versions> {
    const topics = [
      await kafka.topic('versions-in', PARTITIONS),
      await kafka.topic('versions-out', 1),
    ] as const;
    const cluster = await TestCluster.start(kafka.brokers, 1);
    clusters.push(cluster);
    return new Versions(cluster, ...topics);
  }

  /** Values of partition 0, and of partition 1. */
  async produce(...values: readonly (readonly string[])[]): Promise<void> {
    const records = values.flatMap((of, partition) => of.map((value) => ({ partition, value })));
    await kafka.client.producer().send(this.#topic, records);
  }

  openGate(): void {
    writeFileSync(this.#gate, '');
  }

  /** What readers of committed records see. */
  async written(): Promise<readonly string[]> {
    return (await recordsOf(kafka.client, this.#out, 1)).map(({ value }) => value ?? '').toSorted();
  }

  async untilWritten(expected: readonly string[]): Promise<void> {
    const sorted = expected.toSorted();
    const isThere = async (): Promise<boolean> => (await this.written()).length >= sorted.length;
    await until(sorted.join(), isThere, 30_000);
    expect(await this.written()).toEqual(sorted);
  }

  submit(env: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<CliResult> {
    const variables = {
      KAFKA_BROKERS: kafka.brokers,
      VERSIONS_NAME: this.name,
      VERSIONS_TOPIC: this.#topic,
      VERSIONS_OUT: this.#out,
      GATE: this.#gate,
      ...env,
    };
    const given = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return this.#cli(['submit', 'test/jobs/versions-job.ts', '--detach', ...given, ...flags]);
  }

  rollback(...flags: readonly string[]): Promise<CliResult> {
    return this.#cli(['rollback', this.name, ...flags]);
  }

  async stop(): Promise<void> {
    expect((await this.#cli(['stop', this.name])).code).toBe(0);
  }

  /** Waits for an end with an error; gives its code and what to do. */
  async failure(): Promise<string> {
    const failed = await until('the failure', async () => {
      const status = await this.cluster.status(this.name);
      return status?.['state'] === 'FAILED' ? JSON.stringify(status['error']) : undefined;
    });
    return failed;
  }

  /** What `kafka-consumer-groups` shows as the current offset of each task. */
  async visible(): Promise<readonly (number | undefined)[]> {
    const group = `millrace/${this.name}/${this.#out}/progress-0`;
    const tps = Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: '__millrace_progress',
      partition,
    }));
    const found = await kafka.client.committedOffsets(group, tps);
    return tps.map(({ topic, partition }) => found.get(`${topic}-${partition}`)?.offset);
  }

  log(): Promise<CliResult> {
    return this.#cli(['log', this.name, '--tail', '1']);
  }

  goOn(...offsets: readonly number[]): Promise<CliResult> {
    const given = offsets.map((offset, partition) => `${this.#topic}-${partition}=${offset}`);
    return this.#cli(['offsets', 'set', this.name, ...given, '--execute']);
  }

  async logs(): Promise<string> {
    return (await this.#cli(['logs', this.name, '--tail', '200'])).stdout;
  }

  #cli(args: readonly string[]): Promise<CliResult> {
    return this.cluster.cli([...args, '--driver', this.cluster.address]);
  }
}

describe('a program that is changed', () => {
  it(
    'while a batch is half written: the batch is finished with the program that has planned it, then the new one goes on',
    async () => {
      const app = await Versions.start();
      await app.produce(['free 1', 'free 2'], ['wait 1']);
      expect((await app.submit({ LABEL: 'one' })).code).toBe(0);
      expect(await app.failure()).toContain('the gate is closed');
      await app.untilWritten(['one free 1', 'one free 2']);

      // The same code with another setting: it may not finish what is half written otherwise.
      const changed = await app.submit({ LABEL: 'two' });
      expect(changed).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(
          /batch .* was planned with program [0-9a-f]{12}.*finished with that one first/,
        ),
      });
      expect(await app.failure()).toMatch(/the gate is closed.*--with-new-program/);
      const forced = await app.submit({ LABEL: 'two' }, '--with-new-program');
      expect(forced).toMatchObject({ code: 7, stderr: expect.stringContaining('OUTPUT_CONFLICT') });
      expect(await app.written()).toEqual(['one free 1', 'one free 2']);

      app.openGate();
      await app.produce(['free 3'], ['wait 2']);
      expect((await app.submit({ LABEL: 'two' })).code).toBe(0);
      const all = ['one free 1', 'one free 2', 'one wait 1', 'two free 3', 'two wait 2'];
      await app.untilWritten(all);
      expect(await app.logs()).toContain('the program that was submitted goes on');

      // Back to the first one.
      await app.stop();
      const list = await app.rollback('--list');
      expect(list.stdout.trim().split('\n')).toHaveLength(2);
      const before = list.stdout.trim().split('\n')[1]?.slice(0, 12) ?? '';
      const back = await app.rollback('--to', before, '--detach');
      expect(back).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/state "counts" is kept: \d keys/),
      });
      await app.produce(['free 4']);
      await app.untilWritten([...all, 'one free 4']);
      expect((await app.rollback('--to', 'ffff')).stderr).toContain('no earlier program ffff');
      await app.stop();
      const check = ['check-log', app.name, '--state-dir', app.cluster.stateDir];
      const checked = await app.cluster.cli([...check, '--json']);
      expect(checked.code).toBe(0);
      const { committed, resumed, partitions } = JSON.parse(checked.stdout) as {
        readonly committed: number;
        readonly resumed: number;
        readonly partitions: readonly { readonly until: number; readonly read: number }[];
      };
      expect(partitions).toHaveLength(PARTITIONS);
      for (const { until: end, read } of partitions) expect(read).toBe(end);
      figure(
        40,
        `new program while a batch fails, then back: the old one finished its batch; ${committed} batches, ${resumed} of them by a later run, ${all.length + 1} records each by one program, ranges contiguous from 0 to ${partitions.map(({ until: end }) => end).join(' and ')}`,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'while a batch is half written, and the driver dies meanwhile: the batch is finished first',
    async () => {
      const app = await Versions.start();
      await app.produce(['free 1'], ['wait 1']);
      await app.submit({ LABEL: 'one' });
      await app.failure();
      const { cluster } = app;
      app.openGate();
      // It dies before the executor does anything of the batch.
      for (const executor of cluster.executors.splice(0)) await cluster.kill(executor);
      expect((await app.submit({ LABEL: 'two' })).code).toBe(0);
      await cluster.kill(cluster.driver);
      await cluster.startDriver();
      await cluster.startExecutor();
      await app.produce(['free 2']);
      await app.untilWritten(['one free 1', 'one wait 1', 'two free 2']);
    },
    TIMEOUT_MS,
  );

  it(
    'is not rolled back behind state that it has migrated',
    async () => {
      const app = await Versions.start();
      app.openGate();
      await app.submit({ LABEL: 'one' });
      await app.produce(['free 1']);
      await app.untilWritten(['one free 1']);
      await app.stop();
      const newer = await app.submit({ LABEL: 'two', STATE_VERSION: '1' });
      expect(newer.stderr).toContain('migrated from version 0 to 1');
      await app.produce(['free 2']);
      await app.untilWritten(['one free 1', 'two free 2']);
      await app.stop();
      const back = await app.rollback('--detach');
      expect(back).toMatchObject({ code: 3, stderr: expect.stringContaining('STATE_VERSION') });
      expect(back.stderr).toContain('A newer program has migrated it');
      // Nothing has changed: the newer one goes on, and is the current one still.
      expect((await app.rollback('--list')).stdout.trim().split('\n')).toHaveLength(2);
      expect((await app.submit({ LABEL: 'two', STATE_VERSION: '1' })).code).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'because it cannot finish what is half visible: as docs/delivery.md says, the mended one reads what is not visible, and nothing twice',
    async () => {
      const app = await Versions.start();
      await app.produce(['free 1', 'free 2'], ['wait 1']);
      await app.submit({ LABEL: 'one' });
      expect(await app.failure()).toContain('the gate is closed');
      await app.untilWritten(['one free 1', 'one free 2']);
      const refused = await app.submit({ LABEL: 'mended' }, '--with-new-program');
      expect(refused.stderr).toContain('A bug in a batch that is half visible');

      const { stdout } = await app.log();
      const [done = 0, failed = 0] = await app.visible();
      expect(stdout).toContain(new Date(done).toISOString());
      expect(failed).toBeLessThan(done);
      expect((await app.goOn(2, 0)).code).toBe(0);
      app.openGate();
      await app.produce(['free 3']);
      expect((await app.submit({ LABEL: 'mended' })).code).toBe(0);
      await app.untilWritten(['one free 1', 'one free 2', 'mended wait 1', 'mended free 3']);
    },
    TIMEOUT_MS,
  );
});

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ConsumerStrategies,
  type DStream,
  defineJob,
  LocationStrategies,
  type StreamingContext,
} from '@millrace/api';
import { MillraceError, resolveConfig } from '@millrace/common';
import { type DevBroker, type FaultAction, startDevBroker } from '@millrace/devbroker';
import {
  connectKafka,
  ensureProgressTopic,
  KAFKA_ERROR,
  KAFKA_OPTIONS,
  type KafkaClient,
  type Progress,
  progressOffset,
  progressPlace,
  readProgress,
} from '@millrace/kafka';
import { embed } from '@millrace/local';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';

const PARTITIONS = 2;

let broker: DevBroker;
let client: KafkaClient;
let topics = 0;

beforeAll(async () => {
  broker = await startDevBroker({ nodes: 2 });
  client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
  await ensureProgressTopic(client);
});

afterAll(async () => {
  await client.close();
  await broker.close();
});

interface Life {
  readonly error: MillraceError | undefined;
  readonly notices: readonly string[];
}

type Options = Readonly<Record<string, unknown>>;

/** An application from one topic to another, run again and again on one directory. */
class Application {
  readonly name: string;
  readonly out: string;
  readonly #in: string;
  readonly #stateDir = mkdtempSync(join(tmpdir(), 'millrace-once-'));
  #values = 0;

  private constructor(number: number) {
    this.name = `once-${number}`;
    this.#in = `once-in-${number}`;
    this.out = `once-out-${number}`;
  }

  static async of(values: number): Promise<Application> {
    const application = new Application(topics++);
    await client.createTopic(application.#in, { partitions: PARTITIONS });
    await client.createTopic(application.out, { partitions: 1 });
    await application.produce(values);
    return application;
  }

  async produce(values: number): Promise<void> {
    const records = Array.from({ length: values }, () => ({
      partition: this.#values % PARTITIONS,
      value: `v${this.#values++}`,
    }));
    await client.producer().send(this.#in, records);
  }

  get expected(): readonly string[] {
    return Array.from({ length: this.#values }, (_, i) => `v${i}`).toSorted();
  }

  /** As a machine does that did not keep it. */
  loseLog(): void {
    rmSync(this.#stateDir, { recursive: true });
  }

  copyOfLog(): string {
    const copy = mkdtempSync(join(tmpdir(), 'millrace-once-'));
    cpSync(this.#stateDir, copy, { recursive: true });
    return copy;
  }

  /** As a reader of committed records sees them. */
  async written(): Promise<readonly string[]> {
    return (await recordsOf(client, this.out, 1)).map(({ value }) => value ?? '').toSorted();
  }

  async progress(task: number): Promise<Progress | undefined> {
    return readProgress(client, progressPlace(`millrace/${this.name}/${this.out}`, task), 5_000);
  }

  /** What another run, of this epoch, would have left. */
  async setProgress(task: number, progress: Omit<Progress, 'log'>): Promise<void> {
    const place = progressPlace(`millrace/${this.name}/${this.out}`, task);
    const { transactionalId, groupId } = place;
    const producer = client.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
    await producer.init();
    producer.begin();
    await producer.sendOffsets(groupId, [progressOffset(place, { log: '', ...progress })]);
    await producer.commit();
  }

  /** One life of so many batches. */
  async run(
    {
      batches = 1,
      config = {},
      options = {},
      stateDir = this.#stateDir,
    }: {
      readonly batches?: number;
      readonly config?: Options;
      readonly options?: Options;
      readonly stateDir?: string;
    },
    build: (
      values: DStream<string>,
      write: (values: DStream<string>) => void,
      ssc: StreamingContext,
    ) => void = (values, write) => write(values),
  ): Promise<Life> {
    const brokers = broker.brokers;
    const job = defineJob({ name: this.name, batchInterval: '20ms', batches, ...config }, (ssc) => {
      const given = { brokers, groupId: 'g', startFrom: 'earliest', requestTimeoutMs: 3000 } as const;
      const records = ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(this.#in, given),
      );
      const write = (values: DStream<string>): void =>
        values.toKafka(this.out, {
          brokers,
          guarantee: 'exactly-once',
          requestTimeoutMs: 400,
          deliveryTimeoutMs: 400,
          ...options,
        });
      build(
        records.map((record) => record.value),
        write,
        ssc,
      );
    });
    const notices: string[] = [];
    const application = await embed(job, {
      stateDir,
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.text);
      },
    });
    const error = await application
      .start()
      .then(() => application.awaitTermination({ timeoutMs: 30_000 }))
      .then(
        () => undefined,
        (thrown: unknown) =>
          MillraceError.is(thrown) ? thrown : new MillraceError('INTERNAL', String(thrown)),
      );
    return { error, notices };
  }

  remove(): void {
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}

async function withApplication(values: number, use: (app: Application) => Promise<void>): Promise<void> {
  const application = await Application.of(values);
  try {
    await use(application);
  } finally {
    application.remove();
  }
}

/** The batch is planned, this output is written, the next one fails. */
function failAfter(values: DStream<string>, write: (values: DStream<string>) => void): void {
  write(values);
  values.foreachRDD(() => {
    throw new Error('not yet');
  });
}

const FAULTS: ReadonlyArray<readonly [string, FaultAction]> = [
  ['a connection cut before the work', { kind: 'close', when: 'before' }],
  ['a connection cut after the work', { kind: 'close', when: 'after' }],
  ['silence after the work', { kind: 'drop', when: 'after' }],
  ['work that is done late', { kind: 'late', delayMs: 60 }],
  ['an unknown error', { kind: 'error', code: 12_345 }],
  ['a producer that was fenced', { kind: 'error', code: KAFKA_ERROR.PRODUCER_FENCED }],
];

describe('an exactly-once output', () => {
  it('writes the records of a batch once, with the progress that tells of them', () =>
    withApplication(10, async (app) => {
      const { error, notices } = await app.run({});
      expect({ error, notices }).toEqual({ error: undefined, notices: [] });
      expect(await app.written()).toEqual(app.expected);
      const { epoch, planHash = '' } = (await app.progress(0)) ?? {};
      expect({ epoch, hashed: planHash.length }).toEqual({ epoch: 1, hashed: 64 });
      expect(await app.progress(PARTITIONS)).toBeUndefined();
    }));

  it.each([
    'InitProducerId',
    'OffsetFetch',
    'AddPartitionsToTxn',
    'Produce',
    'AddOffsetsToTxn',
    'TxnOffsetCommit',
    'EndTxn',
  ] as const)(
    'writes each record once, whatever happens to %s',
    (api) =>
      withApplication(4, async (app) => {
        await app.run({});
        // An unknown answer to a request that only reads ends the batch: nothing is in doubt.
        const faults = api === 'OffsetFetch' ? FAULTS.filter(([, { kind }]) => kind !== 'error') : FAULTS;
        for (const [name, action] of faults) {
          await app.produce(4);
          // The claims of the start are not meant: they have their own test.
          const { hits, error } = await duringBatch(app, { api, action });
          expect([name, hits, error]).toEqual([name, 1, undefined]);
          if (action.kind === 'late') await new Promise((resolve) => setTimeout(resolve, 2 * action.delayMs));
          expect([name, await app.written()]).toEqual([name, app.expected]);
        }
      }),
    60_000,
  );

  it('takes its ids over whatever happens to the first request of each kind', () =>
    withApplication(4, async (app) => {
      await app.run({});
      for (const api of [
        'InitProducerId',
        'OffsetFetch',
        'AddOffsetsToTxn',
        'TxnOffsetCommit',
        'EndTxn',
      ] as const) {
        const fault = broker.faults.inject({ api, action: { kind: 'close', when: 'after' } });
        const { error } = await app.run({});
        expect([api, fault.hits, error]).toEqual([api, 1, undefined]);
        expect([api, await app.written()]).toEqual([api, app.expected]);
      }
    }));

  it('lets nothing become visible that an older run has begun, of tasks that do not run any more, too', () =>
    withApplication(10, async (app) => {
      await app.run({});
      const { transactionalId, groupId } = progressPlace(`millrace/${app.name}/${app.out}`, 1);
      const zombie = client.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
      await zombie.init();
      zombie.begin();
      await zombie.send(app.out, [{ value: 'zombie' }]);
      const own = { epoch: 1, batchTime: Date.now(), planHash: 'x', log: '' };
      await zombie.sendOffsets(groupId, [progressOffset(progressPlace('', 1), own)]);
      const { error } = await app.run({});
      expect(error).toBeUndefined();
      await expect(zombie.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
      expect(await app.written()).toEqual(app.expected);
    }));

  it('skips what is there when a batch runs again, and says so', () =>
    withApplication(10, async (app) => {
      const first = await app.run({}, failAfter);
      expect(first.error?.code).toBe('USER_CODE');
      expect(await app.written()).toEqual(app.expected);
      const second = await app.run({});
      expect(second.error).toBeUndefined();
      expect(second.notices).toContainEqual(
        `output "${app.out}": 10 records of 2 tasks were there already, and were not written again`,
      );
      expect(await app.written()).toEqual(app.expected);
    }));

  it('makes no transaction for a task that writes nothing', () =>
    withApplication(10, async (app) => {
      await app.run({}, (values, write) => write(values.filter((value) => value === 'v0')));
      expect(await app.written()).toEqual(['v0']);
      expect((await app.progress(0))?.batchTime).toBeGreaterThan(0);
      expect((await app.progress(1))?.batchTime).toBe(0);
    }));

  it('loses none of the records that the first row becomes', () =>
    withApplication(2, async (app) => {
      await app.run({}, (values, write) =>
        write(values.flatMap((value) => Array.from({ length: 1000 }, (_, i) => `${value}-${i}`))),
      );
      expect(new Set(await app.written()).size).toBe(2000);
      expect((await app.written()).length).toBe(2000);
    }));

  it('refuses to run a batch again that another number of tasks has written in part', () =>
    withApplication(10, async (app) => {
      await app.run({}, (values, write) => failAfter(values.repartition(3), write));
      const before = await app.written();
      const { error } = await app.run({}, (values, write) => write(values.repartition(2)));
      expect(error?.code).toBe('OUTPUT_CONFLICT');
      expect(error?.remedy).toContain('offsets set');
      expect(await app.written()).toEqual(before);
      const again = await app.run({}, (values, write) => write(values.repartition(3)));
      expect(again.error).toBeUndefined();
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not written again by an application whose log was lost', () =>
    withApplication(10, async (app) => {
      expect((await app.run({})).error).toBeUndefined();
      app.loseLog();
      const { error } = await app.run({});
      expect(error).toMatchObject({ code: 'FENCED' });
      expect(error?.what).toContain('an application of this name with another log');
      // Its epochs come to that of the output, and pass it.
      for (let more = 0; more < 2; more++)
        expect((await app.run({})).error).toMatchObject({ code: 'FENCED' });
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not written again by an application whose log is an older copy, in the epoch that the output has', () =>
    withApplication(10, async (app) => {
      expect((await app.run({})).error).toBeUndefined();
      const copy = app.copyOfLog();
      await app.produce(10);
      expect((await app.run({})).error).toBeUndefined();
      const { error } = await app.run({ stateDir: copy });
      rmSync(copy, { recursive: true });
      expect(error).toMatchObject({ code: 'OUTPUT_CONFLICT' });
      expect(error?.what).toContain('which the log of the application does not know');
      expect(await app.written()).toEqual(app.expected);
      await app.produce(2);
      expect((await app.run({})).error).toBeUndefined();
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not shared by two applications of one name, neither of which has written yet', () =>
    withApplication(0, async (app) => {
      const first = app.run({ batches: 60 });
      await until('its claim', () => app.progress(0));
      const stateDir = mkdtempSync(join(tmpdir(), 'millrace-once-'));
      const { error } = await app.run({ stateDir });
      rmSync(stateDir, { recursive: true });
      expect(error).toMatchObject({ code: 'FENCED' });
      await app.produce(10);
      expect((await first).error).toBeUndefined();
      await app.run({});
      expect(await app.written()).toEqual(app.expected);
    }));

  it('ends as fenced when a newer run of the application has claimed its ids', () =>
    withApplication(10, async (app) => {
      await app.setProgress(0, { epoch: 99, batchTime: 0, planHash: '' });
      const { error } = await app.run({});
      expect(error?.code).toBe('FENCED');
      expect(await app.written()).toEqual([]);
    }));

  it('ends as fenced when one claims an id that only a task finds', () =>
    withApplication(10, async (app) => {
      await app.run({});
      await app.produce(2);
      const { error } = await app.run({ batches: 2 }, (values, write) => {
        let isFirst = true;
        write(
          values.transform(async (rdd) => {
            if (isFirst) await app.setProgress(1, { epoch: 99, batchTime: 0, planHash: '' });
            isFirst = false;
            return rdd;
          }),
        );
      });
      expect(error?.code).toBe('FENCED');
      expect(await app.written()).not.toContain('v11');
    }));

  it('is not written by a task that finds a batch which its log does not know, as of a copy that runs, too', () =>
    withApplication(10, async (app) => {
      await app.run({});
      await app.produce(2);
      const before = await app.written();
      const { error } = await app.run({}, (values, write) =>
        write(
          values.transform(async (rdd, time) => {
            for (const task of [0, 1])
              await app.setProgress(task, { epoch: 2, batchTime: time - 1, planHash: 'x' });
            return rdd;
          }),
        ),
      );
      expect(error?.code).toBe('OUTPUT_CONFLICT');
      expect(await app.written()).toEqual(before);
    }));

  it('is refused at the start when tasks may take longer than the brokers allow transactions to', () =>
    withApplication(1, async (app) => {
      const { error } = await app.run({ config: { taskTimeout: '1h' } });
      expect(error?.code).toBe('CONFIG_INVALID');
      expect(error?.remedy).toContain('transaction.max.timeout.ms');
    }));
});

/** A run of one batch in which the first such request of a task meets the fault. */
async function duringBatch(
  app: Application,
  fault: { readonly api: string; readonly action: FaultAction },
): Promise<{ readonly hits: number; readonly error: MillraceError | undefined }> {
  let injected: { readonly hits: number } | undefined;
  const { error } = await app.run({}, (values, write) =>
    write(
      values.transform((rdd) => {
        injected ??= broker.faults.inject(fault as Parameters<DevBroker['faults']['inject']>[0]);
        return rdd;
      }),
    ),
  );
  return { hits: injected?.hits ?? 0, error };
}

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll } from '@jest/globals';
import { ConsumerStrategies, type DStream, defineJob, LocationStrategies } from '@millrace/api';
import { MillraceError } from '@millrace/common';
import {
  ensureProgressTopic,
  type Progress,
  progressOffset,
  progressPlace,
  readProgress,
} from '@millrace/kafka';
import { embed } from '@millrace/local';
import { recordsOf } from './topic-records.ts';
import type { DevBrokerOfFile } from './use-dev-broker.ts';

export const INPUT_PARTITIONS = 2;

let topics = 0;

interface Life {
  readonly error: MillraceError | undefined;
  readonly notices: readonly string[];
}

/** An application from one topic to another, whose output is exactly-once, run again and again on one directory. */
export class OnceApplication {
  readonly name: string;
  readonly out: string;
  readonly #kafka: DevBrokerOfFile;
  readonly #in: string;
  readonly #directories: string[] = [];
  readonly #stateDir = this.otherStateDir();
  #values = 0;

  private constructor(kafka: DevBrokerOfFile, number: number) {
    this.#kafka = kafka;
    this.name = `once-${number}`;
    this.#in = `once-in-${number}`;
    this.out = `once-out-${number}`;
  }

  static async of(kafka: DevBrokerOfFile, values: number): Promise<OnceApplication> {
    const application = new OnceApplication(kafka, topics++);
    await kafka.client.createTopic(application.#in, { partitions: INPUT_PARTITIONS });
    await kafka.client.createTopic(application.out, { partitions: 1 });
    await application.produce(values);
    return application;
  }

  async produce(values: number): Promise<void> {
    const records = Array.from({ length: values }, () => ({
      partition: this.#values % INPUT_PARTITIONS,
      value: `v${this.#values++}`,
    }));
    await this.#kafka.client.producer().send(this.#in, records);
  }

  get expected(): readonly string[] {
    return Array.from({ length: this.#values }, (_, i) => `v${i}`).toSorted();
  }

  /** As a machine does that did not keep it. */
  loseLog(): void {
    rmSync(this.#stateDir, { recursive: true });
  }

  /** An empty one. */
  otherStateDir(): string {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-once-'));
    this.#directories.push(directory);
    return directory;
  }

  copyOfLog(): string {
    const copy = this.otherStateDir();
    cpSync(this.#stateDir, copy, { recursive: true });
    return copy;
  }

  /** As a reader of committed records sees them. */
  async written(): Promise<readonly string[]> {
    return (await recordsOf(this.#kafka.client, this.out, 1)).map(({ value }) => value ?? '').toSorted();
  }

  async progress(task: number): Promise<Progress | undefined> {
    const place = progressPlace(`millrace/${this.name}/${this.out}`, task);
    // Only looked at: there was no init.
    return readProgress(this.#kafka.client, { endAgain: async () => false }, place, 5_000);
  }

  /** What another run, of this epoch, would have left. */
  async setProgress(task: number, progress: Omit<Progress, 'log'>): Promise<void> {
    const place = progressPlace(`millrace/${this.name}/${this.out}`, task);
    const { transactionalId, groupId } = place;
    const producer = this.#kafka.client.transactionalProducer({
      transactionalId,
      transactionTimeoutMs: 60_000,
    });
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
      stateDir = this.#stateDir,
    }: {
      readonly batches?: number;
      readonly config?: Readonly<Record<string, unknown>>;
      readonly stateDir?: string;
    },
    build: (values: DStream<string>, write: (values: DStream<string>) => void) => void = (values, write) =>
      write(values),
  ): Promise<Life> {
    const { brokers } = this.#kafka.broker;
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
        });
      build(
        records.map((record) => record.value),
        write,
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
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
  }
}

/** The batch is planned, this output is written, the next one fails. */
export function failAfter(values: DStream<string>, write: (values: DStream<string>) => void): void {
  write(values);
  values.foreachRDD(() => {
    throw new Error('not yet');
  });
}

/** Call it at the top of a test file, behind its broker. Returns what runs `use` with a new one over so many values. */
export function useOnceApplications(
  kafka: DevBrokerOfFile,
): (values: number, use: (application: OnceApplication) => Promise<void>) => Promise<void> {
  beforeAll(() => ensureProgressTopic(kafka.client));
  return async (values, use) => {
    const application = await OnceApplication.of(kafka, values);
    try {
      await use(application);
    } finally {
      application.remove();
    }
  };
}

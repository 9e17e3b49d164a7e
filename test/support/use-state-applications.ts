import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConsumerStrategies,
  type DStream,
  defineJob,
  json,
  LocationStrategies,
  type StreamingContext,
} from '@millrace/api';
import type { DevBroker } from '@millrace/devbroker';
import type { KafkaClient } from '@millrace/kafka';
import { embed } from '@millrace/local';
import { useDevBroker } from './use-dev-broker.ts';

export type Pair = readonly [string, number];

let topics = 0;

/** An application over one topic, run again and again on one directory. */
class StateApplication {
  /** As a driver's: `--state-dir` of the command. */
  readonly driverDir = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  readonly stateDir = join(this.driverDir, 'applications');
  readonly notices: string[] = [];
  readonly #broker: DevBroker;
  readonly #client: KafkaClient;
  readonly #topic = `embedded-state-${topics++}`;

  constructor(broker: DevBroker, client: KafkaClient) {
    this.#broker = broker;
    this.#client = client;
  }

  async createTopic(): Promise<void> {
    await this.#client.createTopic(this.#topic, { partitions: 2 });
  }

  async produce(pairs: readonly Pair[]): Promise<void> {
    const producer = this.#client.producer();
    await producer.send(
      this.#topic,
      pairs.map((pair) => ({ partition: 0, key: 'k', value: JSON.stringify(pair) })),
    );
    await producer.close();
  }

  get files(): readonly string[] {
    return readdirSync(this.#state).map((name) => join(this.#state, name));
  }

  get #state(): string {
    return join(this.stateDir, 'app', 'log', 'state');
  }

  /** One life of so many batches. */
  async run(
    build: (pairs: DStream<Pair>, ssc: StreamingContext) => void,
    config: Readonly<Record<string, unknown>> = {},
    batches = 1,
  ): Promise<void> {
    const job = defineJob({ name: 'app', batchInterval: '20ms', batches, ...config }, (ssc) => {
      const options = {
        brokers: this.#broker.brokers,
        groupId: 'g',
        startFrom: 'earliest',
        value: json<Pair>(),
      } as const;
      const stream = ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(this.#topic, options),
      );
      build(
        stream.map(({ value }) => value),
        ssc,
      );
    });
    const application = await embed(job, {
      stateDir: this.stateDir,
      onEvent: (event) => {
        if (event.kind === 'notice') this.notices.push(event.text);
      },
    });
    await application.start();
    await application.awaitTermination({ timeoutMs: 20_000 });
  }

  close(): void {
    rmSync(this.driverDir, { recursive: true, force: true });
  }
}

export const add = (values: number[], total: number | undefined): number =>
  values.reduce((a, b) => a + b, total ?? 0);

/** Keeps state. */
export const slidingSums = (pairs: DStream<Pair>, name: string): DStream<[string, number]> =>
  pairs.reduceByKeyAndWindow(
    (a, b) => a + b,
    (a, b) => a - b,
    '40ms',
    '20ms',
    { name },
  );

/** As texts, in an order that does not depend on partitions. */
export const sorted = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();

/** Call it at the top of a test file: its applications run on a broker of the file's own. Returns what runs `use` with a new one over these pairs. */
export function useStateApplications(): (
  pairs: readonly Pair[],
  use: (application: StateApplication) => Promise<void>,
) => Promise<void> {
  const kafka = useDevBroker();
  return async (pairs, use) => {
    const application = new StateApplication(kafka.broker, kafka.client);
    try {
      await application.createTopic();
      await application.produce(pairs);
      await use(application);
    } finally {
      application.close();
    }
  };
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { type KafkaUnderTest, kafkaUnderTest } from '../brokers/kafka-under-test.ts';

// A Kafka may have to be fetched and started first.
const TIMEOUT_MS = 240_000;

/** The Kafka of a test file, and what was made on it: there from `beforeAll` on, gone after its tests. */
class KafkaOfFile {
  #kafka: KafkaUnderTest | undefined;
  #client: KafkaClient | undefined;
  readonly #ends: (() => unknown)[] = [];

  get brokers(): string {
    return started(this.#kafka).brokers;
  }

  get client(): KafkaClient {
    return started(this.#client);
  }

  /** A new topic "<prefix>-<uuid>". */
  async topic(prefix: string, partitions: number): Promise<string> {
    const topic = `${prefix}-${randomUUID()}`;
    await this.client.createTopic(topic, { partitions });
    this.atEnd(() => this.client.deleteTopic(topic));
    return topic;
  }

  /** Runs `end` after the tests; the last one first, whatever becomes of the others. */
  atEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async start(): Promise<void> {
    const kafka = await kafkaUnderTest();
    this.#kafka = kafka;
    this.atEnd(() => kafka.stop());
    const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: kafka.brokers }, 'test'));
    this.#client = client;
    this.atEnd(() => client.close());
  }

  async end(): Promise<void> {
    const failures: unknown[] = [];
    for (const end of this.#ends.splice(0).toReversed()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('Kafka is there from beforeAll on');
  return part;
}

/** Call it at the top of a test file, before its own `beforeAll`. */
export function useKafkaUnderTest(): Pick<KafkaOfFile, 'brokers' | 'client' | 'topic' | 'atEnd'> {
  const kafka = new KafkaOfFile();
  beforeAll(() => kafka.start(), TIMEOUT_MS);
  afterAll(() => kafka.end(), TIMEOUT_MS);
  return kafka;
}

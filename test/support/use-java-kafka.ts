import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { type JavaKafkaCluster, type JavaKafkaNode, startJavaKafkaCluster } from '../brokers/java-kafka.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import type { JavaKafkaOptions } from '../brokers/kafka-node.ts';

/** An Apache Kafka of one test file, which may end its nodes. */
export interface JavaKafkaOfFile {
  readonly nodes: readonly JavaKafkaNode[];
  readonly brokers: string;
  readonly client: KafkaClient;
  /** Makes one of a new name. It goes with the brokers. */
  topic(prefix: string, partitions: number): Promise<string>;
}

const START_MS_MAX = 240_000;

/**
 * Call it at the top of a test file: so many nodes, for all of its tests. `suite` is describe, or skips where Java or Maven is missing and says so.
 */
export async function useJavaKafka(
  count: number,
  options: JavaKafkaOptions,
): Promise<{ readonly kafka: JavaKafkaOfFile; readonly suite: (name: string, tests: () => void) => void }> {
  const jars = await kafkaJars();
  let cluster: JavaKafkaCluster | undefined;
  let client: KafkaClient | undefined;
  if (jars.ok) {
    beforeAll(async () => {
      cluster = await startJavaKafkaCluster(count, options);
      client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: cluster.brokers }, 'test'));
    }, START_MS_MAX);
    afterAll(async () => {
      await client?.close();
      await cluster?.stop();
    });
  }
  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('there is no Kafka');
    return part;
  };
  const kafka: JavaKafkaOfFile = {
    get nodes() {
      return started(cluster).nodes;
    },
    get brokers() {
      return started(cluster).brokers;
    },
    get client() {
      return started(client);
    },
    async topic(prefix, partitions) {
      const topic = `${prefix}-${randomUUID()}`;
      await started(client).createTopic(topic, { partitions });
      return topic;
    },
  };
  const suite = (name: string, tests: () => void): void => {
    if (jars.ok) describe(name, tests);
    else describe.skip(`${name} (skipped: ${jars.reason})`, tests);
  };
  return { kafka, suite };
}

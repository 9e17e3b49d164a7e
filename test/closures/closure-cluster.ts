import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { type KafkaUnderTest, kafkaUnderTest } from '../brokers/kafka-under-test.ts';
import { TestCluster } from '../support/test-cluster.ts';
import type { CaseReport } from './case-report.ts';

const JOBS = fileURLToPath(new URL('../jobs/closures/', import.meta.url));

/** One driver, one executor, and a topic with the rows 1, 2, 3: for all jobs of a test file. Close it. */
export class ClosureCluster {
  readonly #topic = `closures-${randomUUID()}`;
  #kafka: KafkaUnderTest | undefined;
  #client: KafkaClient | undefined;
  #cluster: TestCluster | undefined;

  static async start(): Promise<ClosureCluster> {
    const cluster = new ClosureCluster();
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.#kafka = await kafkaUnderTest();
    const { brokers } = this.#kafka;
    this.#client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers }, 'test'));
    await this.#client.createTopic(this.#topic, { partitions: 1 });
    const producer = this.#client.producer();
    const records = ['1', '2', '3'].map((value) => ({ partition: 0, value }));
    await producer.send(this.#topic, records);
    await producer.close();
    this.#cluster = await TestCluster.start(brokers, 1);
  }

  /** Submits a job, of test/jobs/closures or with an absolute path, and gives what its cases gave. */
  async run(job: string): Promise<CaseReport[]> {
    if (this.#cluster === undefined) throw new Error('the cluster is closed');
    const result = resolve(this.#cluster.directory, `${basename(job)}.json`);
    const env = {
      KAFKA_BROKERS: this.#cluster.brokers,
      CLOSURES_TOPIC: this.#topic,
      CLOSURES_RESULT: result,
    };
    const { code, stdout, stderr } = await this.#cluster.cli([
      'submit',
      resolve(JOBS, job),
      '--driver',
      this.#cluster.address,
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ]);
    if (code !== 0) throw new Error(`${job} ended with ${code}\n${stdout}\n${stderr}`);
    return JSON.parse(readFileSync(result, 'utf8')) as CaseReport[];
  }

  async close(): Promise<void> {
    await this.#cluster?.close();
    await this.#client?.deleteTopic(this.#topic);
    await this.#client?.close();
    await this.#kafka?.stop();
  }
}

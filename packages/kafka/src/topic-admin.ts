import { MillraceError } from '@millrace/common';
import type { ClusterMetadata } from './cluster-metadata.ts';
import { isWorthRetrying } from './connection/broker-pool.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { TopicMetadata } from './kafka-port.ts';
import type { KafkaApi } from './protocol/kafka-api.ts';
import { CREATE_PARTITIONS, CREATE_TOPICS, DELETE_TOPICS, type TopicResult } from './protocol/topic-api.ts';
import type { Retrier } from './retrier.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

const POLL_MS = 20;

/** Makes and deletes topics, and waits until the brokers know of it. */
export class TopicAdmin {
  private readonly metadata: ClusterMetadata;
  private readonly retrier: Retrier;
  private readonly options: KafkaOptions;
  private readonly now: () => number;

  constructor(metadata: ClusterMetadata, retrier: Retrier, options: KafkaOptions, now: () => number) {
    this.metadata = metadata;
    this.retrier = retrier;
    this.options = options;
    this.now = now;
  }

  async createTopic(
    topic: string,
    partitions: number,
    replicationFactor: number,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    const timeoutMs = this.options.topicTimeoutMs;
    await this.ask(CREATE_TOPICS, { topic, partitions, replicationFactor, config, timeoutMs }, topic);
    await this.until(topic, (found) => isLed(found, partitions));
  }

  async createPartitions(topic: string, totalCount: number): Promise<void> {
    const timeoutMs = this.options.topicTimeoutMs;
    await this.ask(CREATE_PARTITIONS, { topic, totalCount, timeoutMs }, topic);
    await this.until(topic, (found) => isLed(found, totalCount));
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.ask(DELETE_TOPICS, { topic, timeoutMs: this.options.topicTimeoutMs }, topic);
    await this.until(topic, (found) => found === undefined);
  }

  private async ask<Request>(
    api: KafkaApi<Request, readonly TopicResult[]>,
    request: Request,
    topic: string,
  ): Promise<void> {
    await this.retrier.run(this.options.topicTimeoutMs, async (timeoutMs) => {
      const connection = await this.metadata.controller();
      const [result] = await connection.call(api, request, { timeoutMs });
      if (result === undefined || result.error === 0) return;
      if (result.error === KAFKA_ERROR.NOT_CONTROLLER) this.metadata.forgetController();
      if (result.error === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION) {
        throw new MillraceError('UNKNOWN_TOPIC', `The topic "${topic}" does not exist`, {
          details: { topic },
        });
      }
      throw kafkaFailure(result.error, `${api.name} of "${topic}"`, { topic }, result.message);
    });
  }

  private async until(topic: string, done: (found: TopicMetadata | undefined) => boolean): Promise<void> {
    const { topicTimeoutMs } = this.options;
    const deadline = this.now() + topicTimeoutMs;
    for (;;) {
      try {
        if (done(await this.metadata.refresh(topic))) return;
      } catch (error) {
        if (MillraceError.is(error, 'UNKNOWN_TOPIC')) {
          if (done(undefined)) return;
        } else if (!isWorthRetrying(error)) throw error;
      }
      if (this.now() >= deadline) {
        throw new MillraceError(
          'DEADLINE_EXCEEDED',
          `The brokers did not see the change of "${topic}" within ${topicTimeoutMs} ms`,
          { details: { topic } },
        );
      }
      await this.retrier.sleep(POLL_MS);
    }
  }
}

function isLed(found: TopicMetadata | undefined, partitions: number): boolean {
  return (
    found !== undefined &&
    found.partitions.length >= partitions &&
    found.partitions.every(({ leaderId }) => leaderId >= 0)
  );
}

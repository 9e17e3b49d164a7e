import { MillraceError } from '@millrace/common';
import type { ClusterMetadata } from './cluster-metadata.ts';
import { isWorthRetrying } from './connection/broker-pool.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { TopicMetadata } from './kafka-port.ts';
import type { KafkaApi } from './protocol/kafka-api.ts';
import { CREATE_PARTITIONS, CREATE_TOPICS, DELETE_TOPICS, type TopicResult } from './protocol/topic-api.ts';
import type { Retrier } from './retrier.ts';
import { KAFKA_ERROR, type KafkaErrorNumber } from './wire/kafka-error.ts';

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
    const request = { topic, partitions, replicationFactor, config, timeoutMs };
    await this.ask(CREATE_TOPICS, request, KAFKA_ERROR.TOPIC_ALREADY_EXISTS);
    await this.until(topic, (found) => isLed(found, partitions));
  }

  async createPartitions(topic: string, totalCount: number): Promise<void> {
    const timeoutMs = this.options.topicTimeoutMs;
    await this.ask(CREATE_PARTITIONS, { topic, totalCount, timeoutMs }, KAFKA_ERROR.INVALID_PARTITIONS);
    await this.until(topic, (found) => isLed(found, totalCount));
  }

  async deleteTopic(topic: string): Promise<void> {
    const request = { topic, timeoutMs: this.options.topicTimeoutMs };
    await this.ask(DELETE_TOPICS, request, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    await this.until(topic, (found) => found === undefined);
  }

  /** `done`: what the controller says when it has done it before, for an answer that was lost. */
  private async ask<Request extends { readonly topic: string }>(
    api: KafkaApi<Request, readonly TopicResult[]>,
    request: Request,
    done: KafkaErrorNumber,
  ): Promise<void> {
    const { topic } = request;
    let unanswered = false;
    await this.retrier.run(this.options.topicTimeoutMs, async (timeoutMs) => {
      const connection = await this.metadata.controller();
      const { error, message } = await connection
        .call(api, request, { timeoutMs })
        .then(([result = { error: KAFKA_ERROR.UNKNOWN_SERVER_ERROR, message: 'no answer for it' }]) => result)
        .catch((failure: unknown) => {
          unanswered = true;
          throw failure;
        });
      if (error === KAFKA_ERROR.NONE || (unanswered && error === done)) return;
      if (error === KAFKA_ERROR.REQUEST_TIMED_OUT) unanswered = true;
      if (error === KAFKA_ERROR.NOT_CONTROLLER) this.metadata.forgetController();
      if (error === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION) {
        throw new MillraceError('UNKNOWN_TOPIC', `The topic "${topic}" does not exist`, {
          details: { topic },
        });
      }
      throw kafkaFailure(error, `${api.name} of "${topic}"`, { topic }, message);
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

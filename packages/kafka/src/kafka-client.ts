import {
  type Clock,
  type Logger,
  MillraceError,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@millrace/common';
import { ClusterMetadata } from './cluster-metadata.ts';
import { BrokerPool } from './connection/broker-pool.ts';
import { createTransport } from './connection/kafkajs-transport.ts';
import { PayloadPool } from './connection/payload-pool.ts';
import { Coordinators } from './coordinators.ts';
import { GatheredFetches } from './gathered-fetches.ts';
import { GroupOffsets } from './group-offsets.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type {
  CommittedOffset,
  CommittedOffsetsOptions,
  IsolationLevel,
  KafkaClient,
  KafkaProducer,
  ListedOffset,
  OffsetSpec,
  PartitionReader,
  ReaderOptions,
  TopicMetadata,
} from './kafka-port.ts';
import { OffsetLister } from './offset-lister.ts';
import type { FetchContext } from './partition-fetcher.ts';
import { FetchReader } from './partition-reader.ts';
import { BatchProducer } from './produce/batch-producer.ts';
import type { ProducerContext } from './produce/batch-writer.ts';
import { Retrier } from './retrier.ts';
import { TopicAdmin } from './topic-admin.ts';
import type { TopicPartition, TopicPartitionKey } from './topic-partition.ts';
import { TransactionCoordinator } from './transaction/transaction-coordinator.ts';
import { readHistory } from './transaction/transaction-history.ts';
import type { TransactionalProducer, TransactionalProducerOptions } from './transaction/transaction-port.ts';
import { SharedTransactionalProducer } from './transaction/transactional-producer.ts';

export interface KafkaDependencies {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/**
 * A client of one cluster. It connects when it is first used; every operation ends within the time-outs of `options`
 * (from `resolveConfig(KAFKA_OPTIONS, given, where)`). Share one per process: connections are per broker, not per reader.
 */
export function connectKafka(options: KafkaOptions, dependencies: KafkaDependencies = {}): KafkaClient {
  return new ConnectedKafka(options, dependencies);
}

class ConnectedKafka implements KafkaClient {
  private readonly options: KafkaOptions;
  private readonly pool: BrokerPool;
  private readonly metadata: ClusterMetadata;
  private readonly retrier: Retrier;
  private readonly offsets: OffsetLister;
  private readonly groups: GroupOffsets;
  private readonly admin: TopicAdmin;
  private readonly fetching: FetchContext;
  private readonly producing: ProducerContext;
  private readonly sharedProducer: BatchProducer;
  private readonly transactions: TransactionCoordinator;

  constructor(options: KafkaOptions, dependencies: KafkaDependencies) {
    const { clock = systemClock, random = systemRandom, logger = silentLogger } = dependencies;
    const now = (): number => clock.monotonic();
    this.options = options;
    const payloads = new PayloadPool();
    this.pool = new BrokerPool(createTransport(options, logger, payloads), options, clock);
    this.metadata = new ClusterMetadata(this.pool, options, clock);
    this.retrier = new Retrier(clock, random, options.brokers);
    const { pool, metadata, retrier } = this;
    this.offsets = new OffsetLister(pool, metadata, retrier, options);
    const coordinators = new Coordinators(pool, async () => metadata.fetch([]));
    this.groups = new GroupOffsets(coordinators, retrier, options, now);
    this.admin = new TopicAdmin(metadata, retrier, options, now);
    this.fetching = {
      pool,
      payloads,
      gathered: new GatheredFetches(),
      metadata,
      offsets: this.offsets,
      retrier,
      options,
      now,
      warnOfFetchByName: warnOnce(logger),
    };
    this.producing = { pool, metadata, retrier, options, clock, random };
    this.sharedProducer = new BatchProducer(this.producing);
    this.transactions = new TransactionCoordinator(coordinators, retrier);
  }

  async topics(names?: readonly string[]): Promise<readonly TopicMetadata[]> {
    return this.retrier.run(this.options.requestTimeoutMs, async () => this.metadata.fetch(names ?? null));
  }

  async listOffsets(
    partitions: readonly TopicPartition[],
    at: OffsetSpec,
    isolation: IsolationLevel = 'read_committed',
  ): Promise<ReadonlyMap<TopicPartitionKey, ListedOffset>> {
    return this.offsets.list(partitions, at, isolation);
  }

  reader(tp: TopicPartition, options: ReaderOptions = {}): PartitionReader {
    return new FetchReader(this.fetching, tp, options);
  }

  async committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: CommittedOffsetsOptions = {},
  ): Promise<ReadonlyMap<TopicPartitionKey, CommittedOffset>> {
    return this.groups.committed(groupId, partitions, options);
  }

  async commitOffsets(
    groupId: string,
    offsets: ReadonlyArray<TopicPartition & { readonly offset: number; readonly metadata?: string }>,
  ): Promise<void> {
    for (const { topic, partition, offset } of offsets) {
      if (Number.isSafeInteger(offset) && offset >= 0) continue;
      throw new MillraceError('BAD_REQUEST', `${offset} is not an offset of ${topic}-${partition}`, {
        details: { topic, partition },
      });
    }
    await this.groups.commit(groupId, offsets);
  }

  producer(): KafkaProducer {
    const producer = this.sharedProducer;
    return {
      send: async (topic, records, options) => producer.send(topic, records, options),
      stream: (options) => producer.stream(options),
      // What was sent is awaited by its sender; the connections belong to the client.
      close: async () => {},
    };
  }

  transactionalProducer(options: TransactionalProducerOptions): TransactionalProducer {
    const { transactionalId, transactionTimeoutMs } = options;
    if (transactionalId === '' || !(Number.isSafeInteger(transactionTimeoutMs) && transactionTimeoutMs > 0)) {
      throw new MillraceError(
        'BAD_REQUEST',
        `"${transactionalId}" with a time-out of ${transactionTimeoutMs} ms is no transactional producer`,
        { remedy: 'Give an id and a positive whole number of milliseconds.' },
      );
    }
    return new SharedTransactionalProducer(options, this.producing, this.transactions, async (id) =>
      readHistory(this, id),
    );
  }

  async createTopic(
    topic: string,
    options: {
      readonly partitions: number;
      readonly replicationFactor?: number;
      readonly config?: Readonly<Record<string, string>>;
    },
  ): Promise<void> {
    await this.admin.createTopic(
      topic,
      options.partitions,
      options.replicationFactor ?? -1,
      options.config ?? {},
    );
  }

  async createPartitions(topic: string, totalCount: number): Promise<void> {
    await this.admin.createPartitions(topic, totalCount);
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.admin.deleteTopic(topic);
  }

  async close(): Promise<void> {
    this.retrier.close();
    this.pool.close();
    await this.sharedProducer.close();
  }
}

function warnOnce(logger: Logger): (address: string) => void {
  let warned = false;
  return (broker) => {
    if (warned) return;
    warned = true;
    logger.warn(
      { broker },
      'this broker cannot fetch by topic id (Kafka before 3.1): a topic that is deleted and created again between planning and reading a batch may go unnoticed; upgrade the brokers',
    );
  };
}

import { MillraceError } from '@millrace/common';
import {
  type CommittedOffset,
  type IsolationLevel,
  type KafkaClient,
  type ListedOffset,
  type OffsetSpec,
  type TopicMetadata,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from '@millrace/kafka';

interface FakePartition {
  earliest: number;
  latest: number;
  /** Last stable offset, when a transaction is open. */
  stable?: number;
}

/** Kafka as the planner sees it: topics, and where each partition begins and ends. No records. */
export class FakeKafka implements KafkaClient {
  readonly #topics = new Map<string, { id: string; partitions: FakePartition[] }>();
  readonly committed = new Map<string, number>();
  readonly requests: string[] = [];
  /** Every request fails as a broker does that cannot be reached. */
  down = false;
  #ids = 0;

  /** A topic whose partitions end at these offsets. One that is there is replaced by another of the same name. */
  create(topic: string, latest: readonly number[], earliest = 0): void {
    this.#topics.set(topic, {
      id: `id-${++this.#ids}`,
      partitions: latest.map((end) => ({ earliest, latest: end })),
    });
  }

  drop(topic: string): void {
    this.#topics.delete(topic);
  }

  addPartition(topic: string, latest: number): void {
    this.#topics.get(topic)?.partitions.push({ earliest: 0, latest });
  }

  partition(topic: string, partition: number): FakePartition {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found) return found;
    if (!this.#topics.has(topic)) throw new MillraceError('UNKNOWN_TOPIC', `topic ${topic} does not exist`);
    throw new MillraceError('UNKNOWN_PARTITION', `partition ${topic}-${partition} does not exist`);
  }

  produce(topic: string, partition: number, records: number): void {
    this.partition(topic, partition).latest += records;
  }

  async topics(names?: readonly string[]): Promise<readonly TopicMetadata[]> {
    this.#request('metadata');
    const wanted = names ?? [...this.#topics.keys()];
    const unknown = wanted.filter((name) => !this.#topics.has(name));
    if (unknown.length > 0) {
      throw new MillraceError('UNKNOWN_TOPIC', `topics ${unknown.join(', ')} do not exist`, {
        remedy: 'Create them.',
      });
    }
    return wanted.map((topic) => {
      const { id, partitions } = this.#topics.get(topic) ?? { id: '', partitions: [] };
      return {
        topic,
        topicId: id,
        partitions: partitions.map((_, partition) => ({
          partition,
          leaderId: partition,
          leaderHost: `broker-${partition}`,
          leaderEpoch: 1,
        })),
      };
    });
  }

  async listOffsets(
    partitions: readonly TopicPartition[],
    at: OffsetSpec,
    isolation: IsolationLevel = 'read_committed',
  ): Promise<ReadonlyMap<TopicPartitionKey, ListedOffset>> {
    this.#request(typeof at === 'string' ? at : 'timestamp');
    return new Map(
      partitions.map((tp) => {
        const { earliest, latest, stable } = this.partition(tp.topic, tp.partition);
        const end = isolation === 'read_committed' ? (stable ?? latest) : latest;
        const offset = at === 'earliest' ? earliest : at === 'latest' ? end : Math.min(end, at.timestamp);
        return [topicPartitionKey(tp), { offset, leaderEpoch: 1 }];
      }),
    );
  }

  async committedOffsets(
    _groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<TopicPartitionKey, CommittedOffset>> {
    this.#request('committed');
    return new Map(
      partitions.flatMap((tp) => {
        const offset = this.committed.get(topicPartitionKey(tp));
        return offset === undefined ? [] : [[topicPartitionKey(tp), { offset, metadata: '' }] as const];
      }),
    );
  }

  async commitOffsets(
    _groupId: string,
    offsets: ReadonlyArray<TopicPartition & { readonly offset: number }>,
  ): Promise<void> {
    this.#request('commit');
    for (const tp of offsets) this.committed.set(topicPartitionKey(tp), tp.offset);
  }

  async close(): Promise<void> {}
  reader = unused;
  producer = unused;
  transactionalProducer = unused;
  createTopic = unused;
  createPartitions = unused;
  deleteTopic = unused;

  #request(what: string): void {
    this.requests.push(what);
    if (this.down)
      throw new MillraceError('KAFKA_UNREACHABLE', 'no broker of fake:1 answers', { remedy: 'Start it.' });
  }
}

function unused(): never {
  throw new Error('the driver does not need it');
}

import { MillraceError, type Random, randomInt } from '@millrace/common';
import { KAFKA_ERROR, type KafkaErrorNumber, type TopicPartition } from '@millrace/kafka';
import { NO_LEADER, type Partition, Topic } from './topic.ts';

// org.apache.kafka.common.internals.Topic: the legal characters and the longest name.
const NAME = /^[a-zA-Z0-9._-]{1,249}$/;
// Each partition costs memory even when it is empty: a typo in a count must not take the process down.
export const PARTITIONS_MAX = 10_000;

interface Refusal {
  readonly errorCode: KafkaErrorNumber;
  readonly message: string;
}

export type CreateTopicResult =
  | { readonly ok: true; readonly topic: Topic }
  | ({ readonly ok: false } & Refusal);

/** Every topic of the cluster, by name and by id. */
export class TopicStore {
  private readonly byName = new Map<string, Topic>();
  private readonly byId = new Map<string, Topic>();
  private readonly random: Random;
  private readonly retentionBytes: number;
  private readonly nodeIds: readonly number[];

  constructor(options: {
    readonly random: Random;
    readonly retentionBytes: number;
    readonly nodeIds: readonly number[];
  }) {
    this.random = options.random;
    this.retentionBytes = options.retentionBytes;
    this.nodeIds = options.nodeIds;
  }

  all(): readonly Topic[] {
    return [...this.byName.values()];
  }

  get(name: string): Topic | undefined {
    return this.byName.get(name);
  }

  /** By UUID in base64url. */
  getById(id: string): Topic | undefined {
    return this.byId.get(id);
  }

  /** What `create` would refuse, without creating. */
  refusal(name: string, partitions: number): Refusal | undefined {
    if (!NAME.test(name) || name === '.' || name === '..') {
      return {
        errorCode: KAFKA_ERROR.INVALID_TOPIC_EXCEPTION,
        message: `"${name}" is not a legal topic name`,
      };
    }
    if (this.byName.has(name)) {
      return { errorCode: KAFKA_ERROR.TOPIC_ALREADY_EXISTS, message: `Topic '${name}' already exists.` };
    }
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
      return {
        errorCode: KAFKA_ERROR.INVALID_PARTITIONS,
        message: `the number of partitions must be in [1, ${PARTITIONS_MAX}], not ${partitions}`,
      };
    }
    return undefined;
  }

  create(name: string, partitions: number): CreateTopicResult {
    const refusal = this.refusal(name, partitions);
    if (refusal !== undefined) return { ok: false, ...refusal };
    const topic = new Topic({
      name,
      id: randomUuid(this.random),
      partitions,
      retentionBytes: this.retentionBytes,
      nodeIds: this.nodeIds,
    });
    this.byName.set(name, topic);
    this.byId.set(topic.id, topic);
    return { ok: true, topic };
  }

  /** False when there is no such topic. Waiting fetches are told. */
  delete(name: string): boolean {
    const topic = this.byName.get(name);
    if (topic === undefined) return false;
    this.byName.delete(name);
    this.byId.delete(topic.id);
    for (const { log } of topic.partitions) log.changed();
    return true;
  }

  /** Why a topic cannot have `count` partitions in all; undefined when it can grow to that. */
  growthRefusal(topic: Topic, count: number): Refusal | undefined {
    if (Number.isInteger(count) && count > topic.partitions.length && count <= PARTITIONS_MAX)
      return undefined;
    return {
      errorCode: KAFKA_ERROR.INVALID_PARTITIONS,
      message: `Topic has ${topic.partitions.length} partitions; ${count} would not be an increase up to ${PARTITIONS_MAX}.`,
    };
  }

  /** Gives the partition a new leader (absent: the next node; NO_LEADER: none) and raises its leader epoch. */
  changeLeader(tp: TopicPartition, nodeId?: number): void {
    const topic = this.byName.get(tp.topic);
    const partition = this.partition(tp);
    if (topic === undefined || partition === undefined) throw unknownPartition(tp);
    if (nodeId !== undefined && nodeId !== NO_LEADER && !this.nodeIds.includes(nodeId)) {
      throw new MillraceError('CONFIG_INVALID', `the embedded broker has no node ${nodeId}`, {
        remedy: `Its nodes are ${this.nodeIds.join(', ')}.`,
      });
    }
    partition.leaderId = nodeId ?? topic.nextLeader(partition);
    partition.log.nextEpoch();
  }

  partition(tp: TopicPartition): Partition | undefined {
    return this.byName.get(tp.topic)?.partitions[tp.partition];
  }

  /** @throws MillraceError UNKNOWN_PARTITION. */
  existingPartition(tp: TopicPartition): Partition {
    const partition = this.partition(tp);
    if (partition === undefined) throw unknownPartition(tp);
    return partition;
  }
}

function unknownPartition(tp: TopicPartition): MillraceError {
  return new MillraceError('UNKNOWN_PARTITION', `the embedded broker has no ${tp.topic}-${tp.partition}`, {
    details: { topic: tp.topic, partition: tp.partition },
  });
}

/** A version 4 UUID in base64url. It never is one of Kafka's reserved ids, which have version 0. */
export function randomUuid(random: Random): string {
  const id = Buffer.alloc(16);
  for (let at = 0; at < 16; at++) id[at] = randomInt(random, 256);
  id[6] = ((id[6] as number) & 0x0f) | 0x40;
  id[8] = ((id[8] as number) & 0x3f) | 0x80;
  return id.toString('base64url');
}

import {
  type Clock,
  type Logger,
  MillraceError,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@millrace/common';
import type { ApiName, TopicPartition } from '@millrace/kafka';
import { apiTable } from './api-table.ts';
import type { BrokerState } from './broker-state.ts';
import { FaultHooks } from './faults/fault-hooks.ts';
import { GroupRegistry } from './groups/group-registry.ts';
import { BrokerNode } from './server/broker-node.ts';
import { RequestRouter } from './server/request-router.ts';
import { PARTITIONS_MAX, randomUuid, TopicStore } from './storage/topic-store.ts';
import { TransactionRegistry } from './transactions/transaction-registry.ts';

export interface DevBrokerOptions {
  /** Of the first node; the others get free ones. Default 0: a free one. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Host name told to clients. Default: `host`. */
  readonly advertisedHost?: string;
  /** Broker nodes, each with its own port: leaders can move between them. They share all data. Default 1. */
  readonly nodes?: number;
  /** Whether a metadata request for an unknown topic creates it; a number: with so many partitions. Default false. */
  readonly autoCreateTopics?: boolean | number;
  /** Partitions of a topic when the creator does not say. Default 1. */
  readonly defaultPartitions?: number;
  /** Bound of memory: bytes kept of each partition; then the oldest batches go and the log start moves. Default 64 MiB. */
  readonly retentionBytes?: number;
  /** The newest version of an API that it speaks, to play an older broker. Default: what it knows. */
  readonly apiVersionsMax?: Readonly<Partial<Record<ApiName, number>>>;
  readonly clock?: Clock;
  /** For ids. */
  readonly random?: Random;
  /** Default: silent. */
  readonly logger?: Logger;
}

const RETENTION_BYTES = 64 * 1024 * 1024;
const NODES_MAX = 16;

/** An embedded Kafka-protocol broker, in memory: for development and tests only. */
export interface DevBroker {
  /** For a client's bootstrap list: `127.0.0.1:port`, one for each node, separated by commas. */
  readonly brokers: string;
  /** Rules that make requests fail. */
  readonly faults: FaultHooks;
  /** @throws MillraceError CONFIG_INVALID when the topic exists, or its name or number of partitions is not allowed. */
  createTopic(topic: string, options?: { readonly partitions?: number }): void;
  /** @throws MillraceError UNKNOWN_TOPIC. */
  deleteTopic(topic: string): void;
  /** Deletes the topic and creates it again: empty, with another topic id. Default: as many partitions as before. */
  recreateTopic(topic: string, options?: { readonly partitions?: number }): void;
  /** Grows a topic to `totalCount` partitions. @throws MillraceError UNKNOWN_TOPIC, CONFIG_INVALID. */
  createPartitions(topic: string, totalCount: number): void;
  /** Moves the log start up to `beforeOffset`. @throws MillraceError UNKNOWN_PARTITION, OFFSET_OUT_OF_RANGE beyond the log end. */
  deleteRecords(tp: TopicPartition, beforeOffset: number): void;
  /** A partition that never had a record begins at `offset`, also beyond 2^53 − 1, which clients cannot count. */
  beginAt(tp: TopicPartition, offset: number): void;
  /** Loses every batch that holds `toOffset` or a later offset, as an unclean leader election does: the leader epoch rises by 1. */
  truncate(tp: TopicPartition, toOffset: number): void;
  /** Moves the partition to another node (absent: the next one; −1: none, as during an election) and raises its leader epoch. */
  changeLeader(tp: TopicPartition, nodeId?: number): void;
  /** Offsets of a partition, as ListOffsets would tell them: start inclusive, end exclusive. */
  offsets(tp: TopicPartition): {
    readonly logStartOffset: number;
    readonly logEndOffset: number;
    /** Exclusive: where read_committed ends. */
    readonly lastStableOffset: number;
    readonly leaderEpoch: number;
  };
  /** Breaks every connection; clients connect again. */
  closeConnections(): void;
  /** Closes ports and connections and forgets everything. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts a broker in this process. It says in its log that it is for development and tests only.
 * @throws MillraceError CONFIG_INVALID, PORT_IN_USE.
 */
export async function startDevBroker(options: DevBrokerOptions = {}): Promise<DevBroker> {
  checkOptions(options);
  const { nodes: nodeCount = 1, host = '127.0.0.1', port = 0, logger = silentLogger } = options;
  const nodes: BrokerNode[] = [];
  try {
    for (let id = 1; id <= nodeCount; id++) {
      nodes.push(await BrokerNode.listen({ id, host, port: id === 1 ? port : 0, logger }));
    }
  } catch (error) {
    await Promise.all(nodes.map((node) => node.close()));
    throw error;
  }
  const state = createState(options, nodes);
  const router = new RequestRouter(state, apiTable(options.apiVersionsMax));
  for (const node of nodes) node.serve(router);
  const broker = new EmbeddedBroker(state, nodes);
  logger.info(
    { brokers: broker.brokers },
    'embedded Kafka broker started: in memory, for development and tests only',
  );
  return broker;
}

function checkOptions(options: DevBrokerOptions): void {
  const {
    nodes = 1,
    port = 0,
    retentionBytes = RETENTION_BYTES,
    defaultPartitions = 1,
    autoCreateTopics,
  } = options;
  const inRange = (name: string, value: number, min: number, max: number) =>
    Number.isInteger(value) && value >= min && value <= max
      ? []
      : [`${name} must be an integer in [${min}, ${max}], not ${value}`];
  const problems = [
    ...inRange('nodes', nodes, 1, NODES_MAX),
    ...inRange('port', port, 0, 65_535),
    ...inRange('retentionBytes', retentionBytes, 1, Number.MAX_SAFE_INTEGER),
    ...inRange('defaultPartitions', defaultPartitions, 1, PARTITIONS_MAX),
    ...(typeof autoCreateTopics === 'number'
      ? inRange('autoCreateTopics', autoCreateTopics, 1, PARTITIONS_MAX)
      : []),
  ];
  if (problems.length > 0) throw new MillraceError('CONFIG_INVALID', problems.join('; '));
}

function createState(options: DevBrokerOptions, nodes: readonly BrokerNode[]): BrokerState {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const advertisedHost = options.advertisedHost ?? options.host ?? '127.0.0.1';
  const defaultPartitions = options.defaultPartitions ?? 1;
  const { autoCreateTopics = false } = options;
  let producerIds = 0;
  const nextProducerId = () => producerIds++;
  const topics = new TopicStore({
    random,
    retentionBytes: options.retentionBytes ?? RETENTION_BYTES,
    nodeIds: nodes.map(({ id }) => id),
  });
  const groups = new GroupRegistry({ clock, random });
  const faults = new FaultHooks();
  return {
    clusterId: randomUuid(random),
    nodes: nodes.map(({ id, port }) => ({ id, host: advertisedHost, port })),
    topics,
    groups,
    transactions: new TransactionRegistry({ clock, topics, groups, faults, newProducerId: nextProducerId }),
    faults,
    clock,
    logger: options.logger ?? silentLogger,
    autoCreatePartitions:
      typeof autoCreateTopics === 'number' ? autoCreateTopics : autoCreateTopics ? defaultPartitions : 0,
    defaultPartitions,
    nextProducerId,
  };
}

class EmbeddedBroker implements DevBroker {
  readonly brokers: string;
  private readonly state: BrokerState;
  private readonly nodes: readonly BrokerNode[];
  private closed: Promise<void> | undefined;

  constructor(state: BrokerState, nodes: readonly BrokerNode[]) {
    this.state = state;
    this.nodes = nodes;
    this.brokers = state.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  get faults(): FaultHooks {
    return this.state.faults;
  }

  createTopic(topic: string, options: { readonly partitions?: number } = {}): void {
    const created = this.state.topics.create(topic, options.partitions ?? this.state.defaultPartitions);
    if (!created.ok) throw new MillraceError('CONFIG_INVALID', created.message, { details: { topic } });
  }

  deleteTopic(topic: string): void {
    if (!this.state.topics.delete(topic)) throw unknownTopic(topic);
    this.state.groups.forgetTopic(topic);
  }

  recreateTopic(topic: string, options: { readonly partitions?: number } = {}): void {
    const partitions = options.partitions ?? this.state.topics.get(topic)?.partitions.length ?? 1;
    this.deleteTopic(topic);
    this.createTopic(topic, { partitions });
  }

  createPartitions(topic: string, totalCount: number): void {
    const found = this.state.topics.get(topic);
    if (found === undefined) throw unknownTopic(topic);
    const refusal = this.state.topics.growthRefusal(found, totalCount);
    if (refusal !== undefined)
      throw new MillraceError('CONFIG_INVALID', refusal.message, { details: { topic } });
    found.grow(totalCount);
  }

  deleteRecords(tp: TopicPartition, beforeOffset: number): void {
    const { log } = this.state.topics.existingPartition(tp);
    if (beforeOffset > log.logEndOffset) {
      throw new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${beforeOffset} is beyond the log end ${log.logEndOffset} of ${tp.topic}-${tp.partition}`,
        { details: { topic: tp.topic, partition: tp.partition, offset: beforeOffset } },
      );
    }
    log.deleteRecordsBefore(beforeOffset);
  }

  beginAt(tp: TopicPartition, offset: number): void {
    this.state.topics.existingPartition(tp).log.beginAt(offset);
  }

  truncate(tp: TopicPartition, toOffset: number): void {
    this.state.topics.existingPartition(tp).log.truncateTo(toOffset);
  }

  changeLeader(tp: TopicPartition, nodeId?: number): void {
    this.state.topics.changeLeader(tp, nodeId);
  }

  offsets(tp: TopicPartition) {
    const { log } = this.state.topics.existingPartition(tp);
    const { logStartOffset, logEndOffset, lastStableOffset, leaderEpoch } = log;
    return { logStartOffset, logEndOffset, lastStableOffset, leaderEpoch };
  }

  closeConnections(): void {
    for (const node of this.nodes) node.closeConnections();
  }

  async close(): Promise<void> {
    this.closed ??= this.closeAll();
    await this.closed;
  }

  private async closeAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    this.state.groups.close();
    this.state.transactions.close();
  }
}

function unknownTopic(topic: string): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', `the embedded broker has no topic ${topic}`, {
    details: { topic },
  });
}

import { MillraceError } from '@millrace/common';
import type { KafkaClient } from '../kafka-port.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { WireReader } from '../wire/wire-reader.ts';

/** What the log of a coordinator tells of an id, newest last. */
export interface TransactionHistory {
  /** Who has the id. */
  readonly producerId: bigint;
  readonly epoch: number;
  /** The last transaction that was ended, by its producer, the init of the next one, or its time-out. */
  readonly end?: EndedTransaction;
}

export interface EndedTransaction {
  /** Whose it was. */
  readonly producerId: bigint;
  readonly epoch: number;
  readonly commit: boolean;
  /** What was written in it, offsets of groups included. */
  readonly partitions: readonly TopicPartition[];
}

export interface LoggedTransactions extends TransactionHistory {
  /** Of the coordinator that has the log. */
  readonly coordinatorEpoch: number;
}

const STATE_TOPIC = '__transaction_state';

/** From the end of the coordinator's log: it keeps at least the last record of each id. */
const RECORDS_MAX = 1_000_000;

/**
 * What the coordinator of the id has logged, in the topic __transaction_state. Undefined: nothing (any more), or it may not be read.
 * @throws MillraceError KAFKA_UNREACHABLE, KAFKA_PROTOCOL and what else reading may end in.
 */
export async function readHistory(
  client: Pick<KafkaClient, 'topics' | 'listOffsets' | 'reader'>,
  transactionalId: string,
): Promise<LoggedTransactions | undefined> {
  try {
    const [state] = await client.topics([STATE_TOPIC]);
    const found = state?.partitions[partitionOf(transactionalId, state.partitions.length)];
    if (found === undefined) return undefined;
    const tp = { topic: STATE_TOPIC, partition: found.partition };
    const offsetAt = async (at: 'earliest' | 'latest'): Promise<number> =>
      [...(await client.listOffsets([tp], at)).values()][0]?.offset ?? 0;
    const [start, untilOffset] = await Promise.all([offsetAt('earliest'), offsetAt('latest')]);
    const fromOffset = Math.max(start, untilOffset - RECORDS_MAX);
    let history: TransactionHistory | undefined;
    const reader = client.reader(tp);
    try {
      for await (const records of reader.read({ ...tp, fromOffset, untilOffset })) {
        for (let i = 0; i < records.n; i++) {
          if (idOf(records.key(i)) === transactionalId) history = historyAfter(records.value(i), history);
        }
      }
    } finally {
      await reader.close();
    }
    return history && { ...history, coordinatorEpoch: found.leaderEpoch };
  } catch (error) {
    if (MillraceError.is(error, 'UNKNOWN_TOPIC') || MillraceError.is(error, 'KAFKA_AUTH')) return undefined;
    throw error;
  }
}

const INT32_MIN = -(2 ** 31);

/** As kafka.coordinator.transaction.TransactionStateManager.partitionFor: Java's hash of the id. */
export function partitionOf(transactionalId: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < transactionalId.length; i++)
    hash = (Math.imul(31, hash) + transactionalId.charCodeAt(i)) | 0;
  return (hash === INT32_MIN ? 0 : Math.abs(hash)) % partitions;
}

function idOf(key: Buffer | null): string | undefined {
  if (key === null) return undefined;
  const reader = new WireReader(key);
  return reader.int16() === 0 ? reader.string() : undefined;
}

/** TransactionState of Kafka, as far as it says how a transaction ends. */
const PREPARE_COMMIT = 2;
const PREPARE_ABORT = 3;
const COMPLETE_COMMIT = 4;
const COMPLETE_ABORT = 5;

/** `value`: TransactionLogValue of Kafka, version 0 or 1 (KIP-890); null: the coordinator has forgotten the id. */
export function historyAfter(
  value: Buffer | null,
  before: TransactionHistory | undefined,
): TransactionHistory | undefined {
  if (value === null) return undefined;
  const reader = new WireReader(value);
  const version = reader.int16();
  if (version > 1) return undefined;
  const producerId = reader.bigint64();
  const epoch = reader.int16();
  reader.int32(); // time-out of the transaction
  const status = reader.int8();
  const owner = { producerId, epoch };
  if (status === PREPARE_COMMIT || status === PREPARE_ABORT) {
    const topics = version === 0 ? reader.array(topicOf) : reader.compactArray(compactTopicOf);
    return { ...owner, end: { ...owner, commit: status === PREPARE_COMMIT, partitions: topics.flat() } };
  }
  const end = before?.end;
  // The log is compacted while it is read: this one tells of a transaction whose beginning is gone already.
  const isOther =
    (status === COMPLETE_COMMIT && end?.commit === false) || (status === COMPLETE_ABORT && end?.commit);
  return end === undefined || isOther === true ? owner : { ...owner, end };
}

function topicOf(reader: WireReader): readonly TopicPartition[] {
  const topic = reader.string();
  return reader.array(() => ({ topic, partition: reader.int32() }));
}

function compactTopicOf(reader: WireReader): readonly TopicPartition[] {
  const topic = reader.compactString();
  const partitions = reader.compactArray(() => ({ topic, partition: reader.int32() }));
  reader.taggedFields();
  return partitions;
}

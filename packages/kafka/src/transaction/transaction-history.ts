import { MillraceError } from '@millrace/common';
import type { KafkaClient } from '../kafka-port.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { WireReader } from '../wire/wire-reader.ts';

/** How a transaction was ended, by its producer or by the init of the next one. */
export interface EndedTransaction {
  readonly producerId: bigint;
  readonly commit: boolean;
  /** What was written in it, offsets of groups included. */
  readonly partitions: readonly TopicPartition[];
}

export interface LoggedEnd extends EndedTransaction {
  /** Of the coordinator that has the log. */
  readonly coordinatorEpoch: number;
}

const STATE_TOPIC = '__transaction_state';

/** From the end of the coordinator's log: it keeps at least the last record of each id. */
const RECORDS_MAX = 1_000_000;

/**
 * The last end of a transaction of the id in the log of its coordinator, the topic __transaction_state. Undefined: it does not tell (any more), or
 * may not be read.
 * @throws MillraceError KAFKA_UNREACHABLE, KAFKA_PROTOCOL and what else reading may end in.
 */
export async function lastEnd(
  client: Pick<KafkaClient, 'topics' | 'listOffsets' | 'reader'>,
  transactionalId: string,
): Promise<LoggedEnd | undefined> {
  try {
    const [state] = await client.topics([STATE_TOPIC]);
    const partition = partitionOf(transactionalId, state?.partitions.length ?? 0);
    const tp = { topic: STATE_TOPIC, partition };
    const offsetAt = async (at: 'earliest' | 'latest'): Promise<number> =>
      [...(await client.listOffsets([tp], at)).values()][0]?.offset ?? 0;
    const [start, untilOffset] = await Promise.all([offsetAt('earliest'), offsetAt('latest')]);
    const fromOffset = Math.max(start, untilOffset - RECORDS_MAX);
    let last: EndedTransaction | undefined;
    for await (const records of client.reader(tp).read({ ...tp, fromOffset, untilOffset })) {
      for (let i = 0; i < records.n; i++) {
        if (idOf(records.key(i)) === transactionalId) last = endOf(records.value(i), last);
      }
    }
    return last && { ...last, coordinatorEpoch: state?.partitions[partition]?.leaderEpoch ?? -1 };
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

/** TransactionState of Kafka, as far as it says how a transaction ends. PREPARE_EPOCH_FENCE: by an init. */
const PREPARE_COMMIT = 2;
const PREPARE_ABORT = 3;
const PREPARE_EPOCH_FENCE = 7;

/** `value`: TransactionLogValue of Kafka, version 0 or 1 (KIP-890); null: the coordinator has forgotten the id. `before`: the end before it. */
export function endOf(
  value: Buffer | null,
  before: EndedTransaction | undefined,
): EndedTransaction | undefined {
  if (value === null) return undefined;
  const reader = new WireReader(value);
  const version = reader.int16();
  if (version > 1) return undefined;
  const producerId = reader.bigint64();
  reader.int16(); // producer epoch
  reader.int32(); // time-out of the transaction
  const status = reader.int8();
  if (status !== PREPARE_COMMIT && status !== PREPARE_ABORT && status !== PREPARE_EPOCH_FENCE) return before;
  const topics = version === 0 ? reader.array(topicOf) : reader.compactArray(compactTopicOf);
  return { producerId, commit: status === PREPARE_COMMIT, partitions: topics.flat() };
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

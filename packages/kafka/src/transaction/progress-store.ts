import { MillraceError } from '@millrace/common';
import type { CommittedOffset, KafkaClient } from '../kafka-port.ts';
import type { TxnOffset } from '../protocol/transaction-api.ts';
import { type TopicPartitionKey, topicPartitionKey } from '../topic-partition.ts';
import type { Progress } from './progress.ts';
import type { TransactionalProducer } from './transaction-port.ts';

/**
 * Progress lies in the metadata of committed offsets, in __consumer_offsets: this topic holds no records. It must only exist, since brokers commit no
 * offsets of unknown partitions; when it is deleted, they forget them.
 */
const PROGRESS_TOPIC = '__millrace_progress';

/** Ids of so many tasks share a group, each with a partition of its own: the topic never has to grow. */
const PROGRESS_PARTITIONS = 16;

/** After an init all that ended before it is decided, within moments: what is not by then has lost its markers. */
const MARKERS_MS_MAX = 1_000;

/** Of the metadata's shape. */
const VERSION = 1;

/** Where the progress of one transactional id lies. */
export interface ProgressPlace {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly partition: number;
}

/** `prefix`: "millrace/APPLICATION/OUTPUT". */
export function progressPlace(prefix: string, task: number): ProgressPlace {
  const group = Math.floor(task / PROGRESS_PARTITIONS);
  return {
    transactionalId: `${prefix}/${task}`,
    groupId: `${prefix}/progress-${group}`,
    partition: task % PROGRESS_PARTITIONS,
  };
}

/**
 * What the last transaction of the id has committed; waits for one that still ends, and for brokers, as long as the steps of a transaction do.
 * Only after an init of `producer` it says anything.
 * @throws MillraceError VERSION_MISMATCH, KAFKA_PROTOCOL: it is not what this version writes; TRANSACTION_UNKNOWN: Kafka does not decide it;
 *   KAFKA_UNREACHABLE, KAFKA_AUTH, and what ends of transactions throw.
 */
export async function readProgress(
  client: Pick<KafkaClient, 'committedOffsets'>,
  producer: Pick<TransactionalProducer, 'endAgain'>,
  { transactionalId, groupId, partition }: ProgressPlace,
  timeoutMs: number,
): Promise<Progress | undefined> {
  const tp = { topic: PROGRESS_TOPIC, partition };
  const stable = async (undecidedMs: number): Promise<ReadonlyMap<TopicPartitionKey, CommittedOffset>> =>
    client.committedOffsets(groupId, [tp], { requireStable: true, timeoutMs, undecidedMs });
  let found: ReadonlyMap<TopicPartitionKey, CommittedOffset>;
  try {
    found = await stable(Math.min(MARKERS_MS_MAX, timeoutMs / 2));
  } catch (error) {
    if (!MillraceError.is(error, 'TRANSACTION_UNKNOWN')) throw error;
    const isEndedAgain = await producer.endAgain();
    // Half of the time: brokers that are away may take the rest.
    found = await stable(timeoutMs / 2).catch((again: unknown) => {
      throw MillraceError.is(again, 'TRANSACTION_UNKNOWN')
        ? undecided(transactionalId, isEndedAgain, again)
        : again;
    });
  }
  const committed = found.get(topicPartitionKey(tp));
  return committed && decoded(committed.metadata, groupId, partition);
}

function undecided(transactionalId: string, isEndedAgain: boolean, cause: unknown): MillraceError {
  const why = isEndedAgain
    ? ''
    : ', and its log, the topic __transaction_state, does not say how it has ended, or may not be read';
  return new MillraceError(
    'TRANSACTION_UNKNOWN',
    `Kafka does not say whether the last transaction of ${transactionalId} was committed${why}`,
    {
      remedy:
        'Nothing more is written before it does. Allow the user of the output to read __transaction_state; and see "Transactions that Kafka leaves undecided" in docs/delivery.md.',
      details: { transactionalId },
      retryable: true,
      cause,
    },
  );
}

/** To be sent with the transaction that it tells of. */
export function progressOffset({ partition }: ProgressPlace, progress: Progress): TxnOffset {
  const { epoch, batchTime, planHash, log } = progress;
  const metadata = JSON.stringify({ v: VERSION, epoch, batchTime, planHash, log });
  return { topic: PROGRESS_TOPIC, partition, offset: batchTime, metadata };
}

/**
 * Creates the topic when it is not there.
 * @throws MillraceError CONFIG_INVALID: there is another topic of this name; KAFKA_AUTH, KAFKA_PROTOCOL, KAFKA_UNREACHABLE.
 */
export async function ensureProgressTopic(
  client: Pick<KafkaClient, 'topics' | 'createTopic'>,
): Promise<void> {
  const found = await progressPartitions(client);
  if (found === 0) {
    try {
      await client.createTopic(PROGRESS_TOPIC, { partitions: PROGRESS_PARTITIONS });
    } catch (error) {
      // Somebody else was faster.
      if ((await progressPartitions(client)) >= PROGRESS_PARTITIONS) return;
      const remedy = `Create ${PROGRESS_TOPIC} with ${PROGRESS_PARTITIONS} partitions, or allow the user of the output to.`;
      if (!MillraceError.is(error)) throw error;
      throw new MillraceError(error.code, error.what, { cause: error, remedy, retryable: error.retryable });
    }
    return;
  }
  if (found < PROGRESS_PARTITIONS) {
    throw new MillraceError('CONFIG_INVALID', `the topic ${PROGRESS_TOPIC} has ${found} partitions`, {
      remedy: `Exactly-once outputs need ${PROGRESS_PARTITIONS}: add the others.`,
    });
  }
}

async function progressPartitions(client: Pick<KafkaClient, 'topics'>): Promise<number> {
  try {
    const [topic] = await client.topics([PROGRESS_TOPIC]);
    return topic?.partitions.length ?? 0;
  } catch (error) {
    if (MillraceError.is(error, 'UNKNOWN_TOPIC')) return 0;
    throw error;
  }
}

function decoded(metadata: string, groupId: string, partition: number): Progress {
  const where = `the offset of group ${groupId} for ${PROGRESS_TOPIC}-${partition}`;
  const { v, epoch, batchTime, planHash, log } = parsed(metadata);
  if (typeof v === 'number' && v > VERSION) {
    throw new MillraceError('VERSION_MISMATCH', `${where} was committed by a newer Millrace`, {
      remedy: 'Run the version of Millrace that wrote it, or a newer one.',
    });
  }
  if (typeof epoch === 'number' && typeof batchTime === 'number' && typeof planHash === 'string')
    return { epoch, batchTime, planHash, log: typeof log === 'string' ? log : '' };
  throw new MillraceError('KAFKA_PROTOCOL', `${where} was not committed by Millrace: "${metadata}"`, {
    remedy: 'Give the output another transactionalIdPrefix, or delete the group.',
    retryable: false,
  });
}

type Metadata = Readonly<Partial<Record<'v' | keyof Progress, unknown>>>;

function parsed(metadata: string): Metadata {
  try {
    return Object(JSON.parse(metadata)) as Metadata;
  } catch {
    return {};
  }
}

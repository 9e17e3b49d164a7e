import { MillraceError } from '@millrace/common';
import {
  type ListedOffset,
  type OffsetRange,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from '@millrace/kafka';
import type { InputPositions } from '../log/log-state.ts';

/** Where one partition begins, and who said so. */
export interface StartPosition extends TopicPartition {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly by: 'log' | 'strategy' | 'group' | 'startFrom' | 'discovery';
}

/** What the log says of where a stream goes on. */
export interface LoggedStart {
  readonly positions: InputPositions;
  /** No batch was planned of it. It has positions nevertheless where somebody has set them. */
  readonly isFirst: boolean;
}

export interface StartSources {
  readonly logged: LoggedStart;
  /** Offsets given to, or by, the strategy. */
  readonly given: ReadonlyMap<string, number>;
  /** Offsets that the group committed. */
  readonly committed: ReadonlyMap<string, { readonly offset: number }>;
  /** What `startFrom` means for each partition; undefined when the option is not set. */
  readonly fallback: ReadonlyMap<string, ListedOffset> | undefined;
  readonly earliest: ReadonlyMap<string, ListedOffset>;
}

/**
 * Log > offsets given to the strategy > the group's committed offsets > startFrom. A partition that joins a stream of which batches
 * were planned begins at its earliest offset: what was written before it was discovered is not lost (FLIP-288).
 */
export function startPosition(tp: TopicPartition, sources: StartSources): StartPosition | undefined {
  const key = topicPartitionKey(tp);
  const at = (by: StartPosition['by'], offset: number, leaderEpoch = -1): StartPosition => ({
    topic: tp.topic,
    partition: tp.partition,
    offset,
    leaderEpoch,
    by,
  });
  const { positions, isFirst } = sources.logged;
  const logged = positions.get(key);
  if (logged) return at('log', logged.offset, logged.leaderEpoch);
  const given = sources.given.get(key);
  if (given !== undefined) return at('strategy', given);
  if (!isFirst) return at('discovery', sources.earliest.get(key)?.offset ?? 0);
  const committed = sources.committed.get(key);
  if (committed) return at('group', committed.offset);
  const fallback = sources.fallback?.get(key);
  return fallback && at('startFrom', fallback.offset);
}

/** Partitions whose start neither the log nor the strategy tells: Kafka is asked about them on a first run. */
export function undecided(
  partitions: readonly TopicPartition[],
  { logged: { positions, isFirst }, given }: Pick<StartSources, 'logged' | 'given'>,
): readonly TopicPartition[] {
  if (!isFirst) return [];
  return partitions.filter((tp) => {
    const key = topicPartitionKey(tp);
    return !positions.has(key) && !given.has(key);
  });
}

export function noStartOffset(partitions: readonly TopicPartition[], groupId: string): MillraceError {
  const names = partitions.map((tp) => topicPartitionKey(tp));
  return new MillraceError(
    'NO_START_OFFSET',
    `nothing says where ${shorten(names)} ${names.length === 1 ? 'begins' : 'begin'}: it is a first run, and group ${groupId} has no committed offset`,
    { remedy: "Set startFrom to 'earliest', 'latest' or { timestamp }, or give exact offsets." },
  );
}

/** Offsets that are given for partitions which the stream does not read: most likely a slip of the pen. */
export function startsOfNobody(
  given: ReadonlyMap<string, number>,
  partitions: readonly TopicPartition[],
): MillraceError[] {
  const read = new Set<string>(partitions.map((tp) => topicPartitionKey(tp)));
  return [...given.keys()]
    .filter((key) => !read.has(key))
    .map(
      (key) =>
        new MillraceError(
          'UNKNOWN_PARTITION',
          `${key} is given a start offset, but the stream does not read it`,
          {
            remedy: `It reads ${shorten([...read])}.`,
          },
        ),
    );
}

const SAID_BY: Readonly<Record<StartPosition['by'], string>> = {
  log: "in the application's log",
  strategy: 'given to the consumer strategy',
  group: 'committed by the consumer group',
  startFrom: 'that startFrom gives',
  discovery: 'of the new partition',
};

/** What is wrong with beginning there; undefined: nothing. `end` is the high watermark: a transaction may be open below it. */
export function startProblem(start: StartPosition, earliest: number, end: number): MillraceError | undefined {
  const key: TopicPartitionKey = topicPartitionKey(start);
  const details = {
    topic: start.topic,
    partition: start.partition,
    offset: start.offset,
    earliest,
    latest: end,
  };
  if (start.offset < earliest) return belowLogStart(start, start.offset, earliest, SAID_BY[start.by]);
  if (start.offset <= end) return undefined;
  const what = `offset ${start.offset} of ${key}, ${SAID_BY[start.by]}, is beyond the end ${end}`;
  if (start.by === 'log') {
    return new MillraceError('LOG_TRUNCATED', `${what}: the partition was truncated after it was read`, {
      details,
      remedy: TRUNCATED,
    });
  }
  return new MillraceError('OFFSET_OUT_OF_RANGE', what, {
    details,
    remedy: `Give an offset in [${earliest}, ${end}].`,
  });
}

const BELOW_LOG_START =
  "Raise the topic's retention. To accept the loss, give the stream failOnDataLoss: false or a later start, or move the stopped application on: millrace offsets reset, --to-earliest.";
const RECREATED =
  'To read the new topic, move the application to it (millrace offsets reset, --to-earliest and --topic), or submit it under another name (--name).';
export const TRUNCATED =
  'Find out what the brokers lost; then say where the stream goes on: millrace offsets set.';

/** Records that were never read are gone. */
export function belowLogStart(
  tp: TopicPartition,
  offset: number,
  earliest: number,
  saidBy = SAID_BY.log,
): MillraceError {
  return new MillraceError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${offset} of ${topicPartitionKey(tp)}, ${saidBy}, is below the log start ${earliest}: ${earliest - offset} offsets that were not read are gone`,
    {
      details: { topic: tp.topic, partition: tp.partition, offset, earliest },
      remedy: BELOW_LOG_START,
    },
  );
}

export function topicRecreated(topic: string, planned: string, now: string): MillraceError {
  return new MillraceError(
    'TOPIC_RECREATED',
    `topic ${topic} was deleted and created again while offsets of the old one were planned`,
    {
      details: { topic, topicId: planned, newTopicId: now },
      remedy: RECREATED,
    },
  );
}

export function shorten(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

/** `error` of a task that read `ranges`: the batch meets it again at every start, so that its remedy is that of the stream. */
export function streamError(error: unknown, ranges: readonly OffsetRange[]): unknown {
  if (!MillraceError.is(error)) return error;
  const { topic, partition } = error.details;
  if (!ranges.some((range) => range.topic === topic && range.partition === partition)) return error;
  const remedy = remedyOf(error);
  return remedy === undefined
    ? error
    : MillraceError.fromRecord({ ...MillraceError.toRecord(error), remedy });
}

function remedyOf({ code, details }: MillraceError): string | undefined {
  if (code === 'TOPIC_RECREATED') return RECREATED;
  if (code === 'LOG_TRUNCATED') return TRUNCATED;
  // Beyond the end is another matter: a transaction that hangs, say.
  const { offset, earliest } = details;
  const isBelow = typeof offset === 'number' && typeof earliest === 'number' && offset < earliest;
  return code === 'OFFSET_OUT_OF_RANGE' && isBelow ? BELOW_LOG_START : undefined;
}

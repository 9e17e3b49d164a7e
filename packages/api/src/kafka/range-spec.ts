import { MillraceError, problemsError } from '@millrace/common';
import {
  type KafkaClient,
  type ListedOffset,
  type OffsetRange,
  type OffsetSpec,
  offsetRange,
  type TopicPartition,
  topicPartitionKey,
} from '@millrace/kafka';

/** A position: an offset, or one that is looked up once, when the RDD is made. */
export type RangePosition = number | OffsetSpec;

/** What createRDD reads of one partition, or of all partitions of a topic. */
export interface RangeSpec {
  readonly topic: string;
  /** Absent: every partition. */
  readonly partition?: number;
  /** Inclusive. */
  readonly from: RangePosition;
  /** Exclusive. 'latest': what is there now; newer messages are ignored. */
  readonly until: RangePosition;
}

interface ConcreteSpec extends TopicPartition {
  readonly from: RangePosition;
  readonly until: RangePosition;
}

function toSpec(given: RangeSpec | OffsetRange): RangeSpec {
  if ('fromOffset' in given) {
    return {
      topic: given.topic,
      partition: given.partition,
      from: given.fromOffset,
      until: given.untilOffset,
    };
  }
  return given;
}

/** @throws MillraceError OFFSET_RANGE_INVALID when a partition is listed twice. */
export function refuseListedTwice(specs: readonly TopicPartition[]): void {
  const keys = specs.map((tp) => topicPartitionKey(tp));
  const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
  if (twice.length > 0) {
    const names = [...new Set(twice)];
    throw new MillraceError(
      'OFFSET_RANGE_INVALID',
      `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} listed twice`,
      {
        remedy: 'List each partition once.',
      },
    );
  }
}

/**
 * Ranges without asking Kafka: when every position is an offset and every partition is named.
 * @throws MillraceError OFFSET_RANGE_INVALID
 */
export function literalRanges(
  given: readonly (RangeSpec | OffsetRange)[],
): readonly OffsetRange[] | undefined {
  const specs = given.map((item) => toSpec(item));
  if (!specs.every(isLiteral)) return undefined;
  const ranges: OffsetRange[] = [];
  const problems: MillraceError[] = [];
  const check = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      problems.push(MillraceError.from(error, 'OFFSET_RANGE_INVALID'));
    }
  };
  for (const { topic, partition, from, until } of specs)
    check(() => ranges.push(offsetRange(topic, partition, from, until)));
  check(() => refuseListedTwice(specs));
  const error = problemsError(problems);
  if (error) throw error;
  return ranges;
}

interface LiteralSpec extends TopicPartition {
  readonly from: number;
  readonly until: number;
}

function isLiteral(spec: RangeSpec): spec is LiteralSpec {
  return spec.partition !== undefined && typeof spec.from === 'number' && typeof spec.until === 'number';
}

/**
 * Looks up what is not an offset, once, and checks all against the partitions' bounds.
 * @throws MillraceError OFFSET_RANGE_INVALID, OFFSET_OUT_OF_RANGE (all problems listed), UNKNOWN_TOPIC, UNKNOWN_PARTITION
 */
export async function resolveRanges(
  client: KafkaClient,
  given: readonly (RangeSpec | OffsetRange)[],
  isolation: 'read_committed' | 'read_uncommitted',
): Promise<readonly OffsetRange[]> {
  const specs = given.map((item) => toSpec(item));
  const topics = await client.topics([...new Set(specs.map(({ topic }) => topic))]);
  const byName = new Map(topics.map((topic) => [topic.topic, topic]));
  const unknown: MillraceError[] = [];
  const concrete = specs.flatMap((spec): ConcreteSpec[] => {
    const partitions = byName.get(spec.topic)?.partitions ?? [];
    if (spec.partition === undefined) return partitions.map(({ partition }) => ({ ...spec, partition }));
    if (!partitions.some(({ partition }) => partition === spec.partition)) {
      unknown.push(
        new MillraceError('UNKNOWN_PARTITION', `${spec.topic}-${spec.partition} does not exist`, {
          details: { topic: spec.topic, partition: spec.partition },
          remedy: `${spec.topic} has ${partitions.length} partitions, numbered from 0.`,
        }),
      );
      return [];
    }
    return [{ ...spec, partition: spec.partition }];
  });
  const error = problemsError(unknown);
  if (error) throw error;
  refuseListedTwice(concrete);
  const [earliest, latest] = await Promise.all([
    client.listOffsets(concrete, 'earliest', isolation),
    client.listOffsets(concrete, 'latest', isolation),
  ]);
  const lookUp = positions(client, concrete, earliest, latest, isolation);
  const problems: string[] = [];
  const ranges: OffsetRange[] = [];
  for (const spec of concrete) {
    const key = topicPartitionKey(spec);
    const from = await lookUp(spec.from, key);
    const until = await lookUp(spec.until, key);
    const low = earliest.get(key)?.offset ?? 0;
    const high = latest.get(key)?.offset ?? 0;
    if (from > until) problems.push(`${key}: from ${from} is after until ${until}`);
    else if (from < low || until > high)
      problems.push(`${key}: [${from}, ${until}) is outside of [${low}, ${high})`);
    else {
      const topicId = byName.get(spec.topic)?.topicId;
      ranges.push({
        ...offsetRange(spec.topic, spec.partition, from, until),
        ...(topicId === undefined ? {} : { topicId }),
      });
    }
  }
  if (problems.length > 0) {
    const inverted = problems.every((problem) => problem.includes('is after until'));
    throw new MillraceError(inverted ? 'OFFSET_RANGE_INVALID' : 'OFFSET_OUT_OF_RANGE', problems.join('\n'), {
      remedy: 'Give offsets that the partitions hold, or earliest, latest or a timestamp.',
    });
  }
  return ranges;
}

/** Positions to offsets; each kind of position is asked for once, for all partitions. */
function positions(
  client: KafkaClient,
  partitions: readonly TopicPartition[],
  earliest: ReadonlyMap<string, ListedOffset>,
  latest: ReadonlyMap<string, ListedOffset>,
  isolation: 'read_committed' | 'read_uncommitted',
): (position: RangePosition, key: string) => Promise<number> {
  const byTime = new Map<number, Promise<ReadonlyMap<string, ListedOffset>>>();
  return async (position, key) => {
    if (typeof position === 'number') return position;
    if (position === 'earliest') return earliest.get(key)?.offset ?? 0;
    if (position === 'latest') return latest.get(key)?.offset ?? 0;
    const listed =
      byTime.get(position.timestamp) ??
      client.listOffsets(partitions, { timestamp: position.timestamp }, isolation);
    byTime.set(position.timestamp, listed);
    // No record at or after the time: the end, as it was when the RDD was made.
    return (await listed).get(key)?.offset ?? latest.get(key)?.offset ?? 0;
  };
}

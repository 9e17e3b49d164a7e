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
 * What can be said of ranges without asking Kafka: positions that are none, from > until, a partition listed twice.
 * @throws MillraceError OFFSET_RANGE_INVALID with all problems.
 */
export function checkRanges(given: readonly (RangeSpec | OffsetRange)[]): readonly RangeSpec[] {
  if (!Array.isArray(given)) throw invalid('createRDD() was given no list of ranges');
  const problems: MillraceError[] = [];
  const check = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      problems.push(MillraceError.from(error, 'OFFSET_RANGE_INVALID'));
    }
  };
  const specs = given.map((item: RangeSpec | OffsetRange) => toSpec(item));
  for (const spec of specs) check(() => checkSpec(spec));
  check(() => refuseListedTwice(specs.filter(isOnePartition)));
  const error = problemsError(problems);
  if (error) throw error;
  return specs;
}

/** Ranges without asking Kafka: when every position is an offset and every partition is named. */
export function literalRanges(specs: readonly RangeSpec[]): readonly OffsetRange[] | undefined {
  if (!specs.every(isLiteral)) return undefined;
  return specs.map(({ topic, partition, from, until }) => offsetRange(topic, partition, from, until));
}

function toSpec(given: RangeSpec | OffsetRange): RangeSpec {
  if (!('fromOffset' in given)) return given;
  const { topic, partition, fromOffset: from, untilOffset: until } = given;
  return { topic, partition, from, until };
}

function checkSpec({ topic, partition = 0, from, until }: RangeSpec): void {
  for (const position of [from, until]) {
    if (isPosition(position)) continue;
    throw invalid(`${topic}-${partition}: ${JSON.stringify(position)} is no position`);
  }
  const low = typeof from === 'number' ? from : 0;
  offsetRange(topic, partition, low, typeof until === 'number' ? until : low);
}

function isPosition(position: unknown): boolean {
  if (typeof position === 'number' || position === 'earliest' || position === 'latest') return true;
  const { timestamp } = (position ?? {}) as { readonly timestamp?: unknown };
  return Number.isSafeInteger(timestamp) && Number(timestamp) >= 0;
}

function invalid(what: string): MillraceError {
  return new MillraceError('OFFSET_RANGE_INVALID', what, {
    remedy: "Give ranges of offsets, 'earliest', 'latest' or { timestamp: ms }.",
  });
}

interface LiteralSpec extends TopicPartition {
  readonly from: number;
  readonly until: number;
}

function isOnePartition(spec: RangeSpec): spec is RangeSpec & TopicPartition {
  return spec.partition !== undefined;
}

function isLiteral(spec: RangeSpec): spec is LiteralSpec {
  return isOnePartition(spec) && typeof spec.from === 'number' && typeof spec.until === 'number';
}

/**
 * Looks up what is not an offset, once, and checks all against the partitions' bounds.
 * @throws MillraceError OFFSET_RANGE_INVALID (all problems listed), UNKNOWN_TOPIC, UNKNOWN_PARTITION
 */
export async function resolveRanges(
  client: KafkaClient,
  specs: readonly RangeSpec[],
  isolation: 'read_committed' | 'read_uncommitted',
): Promise<readonly OffsetRange[]> {
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
  const inverted: string[] = [];
  const outside: string[] = [];
  const ranges: OffsetRange[] = [];
  for (const spec of concrete) {
    const key = topicPartitionKey(spec);
    const from = await lookUp(spec.from, key);
    const until = await lookUp(spec.until, key);
    const low = earliest.get(key)?.offset ?? 0;
    const high = latest.get(key)?.offset ?? 0;
    if (from > until) inverted.push(`${key}: from ${from} is after until ${until}`);
    else if (from < low || until > high)
      outside.push(`${key}: [${from}, ${until}) is outside of [${low}, ${high})`);
    else {
      const topicId = byName.get(spec.topic)?.topicId;
      ranges.push({
        ...offsetRange(spec.topic, spec.partition, from, until),
        ...(topicId === undefined ? {} : { topicId }),
      });
    }
  }
  const problems = [...inverted, ...outside];
  if (problems.length > 0) {
    // Not OFFSET_OUT_OF_RANGE: no stream lost its records, the job asked for what is not there.
    throw new MillraceError('OFFSET_RANGE_INVALID', problems.join('\n'), {
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

import { MillraceError } from '@millrace/common';
import type { KafkaClient, TopicMetadata, TopicPartition } from '@millrace/kafka';
import { compareTopicPartitions, topicPartitionKey } from '@millrace/kafka';
import type { ConsumerOptions } from './consumer-options.ts';
import { refuseListedTwice } from './range-spec.ts';

/** What a strategy may ask Kafka. */
export type StrategyAdmin = Pick<KafkaClient, 'topics' | 'listOffsets' | 'committedOffsets'>;

/** What a strategy chose. */
export interface Assignment {
  readonly partitions: readonly TopicPartition[];
  /** Exact start offsets, keyed "topic-partition"; used for partitions without a position only. */
  readonly starts?: ReadonlyMap<string, number>;
}

/**
 * How partitions and start offsets are chosen. Extend it for a choice of your own: `assign` runs in the application's host
 * at the start and whenever metadata are refreshed, with the positions that the log holds (empty on a first run).
 */
export interface ConsumerStrategy<K, V> {
  readonly options: ConsumerOptions<K, V>;
  /** For logs and errors: "topics views, clicks". */
  describe(): string;
  /** Called when the stream is made. @throws MillraceError: what is wrong before Kafka is asked. */
  check?(): void;
  assign(admin: StrategyAdmin, positions: ReadonlyMap<string, number>): Promise<Assignment>;
}

function allPartitions(topics: readonly TopicMetadata[]): TopicPartition[] {
  return topics
    .flatMap(({ topic, partitions }) => partitions.map(({ partition }) => ({ topic, partition })))
    .toSorted(compareTopicPartitions);
}

/** A stream of nothing would run for ever and never say why. */
function refuseNothing(what: string, strategy: string, names: readonly string[]): void {
  if (names.length > 0 && names.every((name) => name !== '')) return;
  throw new MillraceError('CONFIG_INVALID', `${strategy}() was given no ${what}, or one without a name`, {
    remedy: `Name the ${what} to read.`,
  });
}

export const ConsumerStrategies = {
  /** A fixed collection of topics, with the partitions that are added to them. */
  Subscribe<K = string | null, V = string>(
    topics: string | readonly string[],
    options: ConsumerOptions<K, V>,
  ): ConsumerStrategy<K, V> {
    const names = [...new Set(typeof topics === 'string' ? [topics] : topics)];
    return {
      options,
      describe: () => `topics ${names.join(', ')}`,
      check: () => refuseNothing('topics', 'Subscribe', names),
      async assign(admin) {
        return { partitions: allPartitions(await admin.topics(names)) };
      },
    };
  },

  /** Every topic whose whole name matches, now or later. Internal topics ("__…") never match. */
  SubscribePattern<K = string | null, V = string>(
    pattern: RegExp | string,
    options: ConsumerOptions<K, V>,
  ): ConsumerStrategy<K, V> {
    const source = typeof pattern === 'string' ? pattern : pattern.source;
    const whole = new RegExp(
      `^(?:${source})$`,
      typeof pattern === 'string' ? 'u' : pattern.flags.replace(/[gy]/g, ''),
    );
    return {
      options,
      describe: () => `topics like /${source}/`,
      async assign(admin) {
        const topics = await admin.topics();
        return {
          partitions: allPartitions(
            topics.filter(({ topic }) => !topic.startsWith('__') && whole.test(topic)),
          ),
        };
      },
    };
  },

  /** Fixed partitions. */
  Assign<K = string | null, V = string>(
    partitions: readonly TopicPartition[],
    options: ConsumerOptions<K, V>,
  ): ConsumerStrategy<K, V> {
    const keys = partitions.map((tp) => topicPartitionKey(tp));
    const fixed = partitions
      .map(({ topic, partition }) => ({ topic, partition }))
      .toSorted(compareTopicPartitions);
    return {
      options,
      describe: () => `partitions ${[...new Set(keys)].join(', ')}`,
      check() {
        refuseNothing('partitions', 'Assign', keys);
        refuseListedTwice(fixed);
      },
      async assign(admin) {
        const topics = await admin.topics([...new Set(fixed.map(({ topic }) => topic))]);
        const known = new Set(allPartitions(topics).map((tp) => topicPartitionKey(tp)));
        const unknown = [...new Set(keys)].filter((key) => !known.has(key));
        if (unknown.length > 0) {
          throw new MillraceError('UNKNOWN_PARTITION', `partitions ${unknown.join(', ')} do not exist`, {
            remedy: 'Assign partitions that exist, or create them first.',
          });
        }
        return { partitions: fixed };
      },
    };
  },
} as const;

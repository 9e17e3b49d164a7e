import { MillraceError, placed } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { AccumulatorRegistry } from '../accumulator.ts';
import { callerPlace } from '../place.ts';
import { RDD } from '../rdd.ts';
import type { GraphBuilder } from '../stream/graph-builder.ts';
import { checkConsumerOptions, type ReadOptions, resolveConsumerOptions } from './consumer-options.ts';
import type { ConsumerStrategy } from './consumer-strategies.ts';
import { deadLetterProblem } from './dead-letter-topic.ts';
import { DirectStream } from './direct-stream.ts';
import type { KafkaRecord } from './kafka-record.ts';
import { checkLocation, LocationStrategies, type LocationStrategy } from './location-strategies.ts';
import { checkRanges, literalRanges, type RangeSpec, resolveRanges } from './range-spec.ts';
import { DEFAULT_KEY_CODEC, DEFAULT_VALUE_CODEC, shipCodec } from './ship-codec.ts';
import { SkipCounts } from './skip-counts.ts';

/** A dataset over fixed offset ranges has no stream. */
const NO_STREAM = -1;

/** `ssc.kafka`. */
export class KafkaNamespace {
  readonly #graph: GraphBuilder;
  readonly #skips: SkipCounts;

  constructor(graph: GraphBuilder, accumulators: AccumulatorRegistry) {
    this.#graph = graph;
    this.#skips = new SkipCounts(accumulators);
  }

  /**
   * A stream with one RDD partition per Kafka partition. Offsets are planned by the driver; no consumer group is joined.
   * Problems of the options are reported with all other problems of the job.
   */
  createDirectStream<K = string | null, V = string>(
    location: LocationStrategy,
    strategy: ConsumerStrategy<K, V>,
  ): DirectStream<K, V> {
    const place = callerPlace();
    if (typeof (strategy as Partial<typeof strategy> | undefined)?.assign !== 'function') {
      throw new MillraceError('JOB_INVALID', 'createDirectStream() was given no consumer strategy', {
        remedy: 'Write createDirectStream(LocationStrategies.…, ConsumerStrategies.…).',
        details: { place },
      });
    }
    const { problems, value } = checkConsumerOptions(
      strategy.options,
      `createDirectStream(${strategy.describe()})`,
    );
    for (const problem of problems) {
      this.#graph.check(() => {
        throw new MillraceError('CONFIG_INVALID', problem, { details: { place } });
      });
    }
    this.#graph.check(() => strategy.check?.(), place);
    this.#graph.check(() => checkLocation(location), place);
    // Without options there is nothing to plan; the problems above keep the job from starting.
    if (value === undefined) return new DirectStream<K, V>({ kind: 'refused' }, this.#graph);
    const node = this.#graph.addInput({
      // Nobody encodes through a strategy's codecs: the types of what they decode may be forgotten.
      strategy: strategy as unknown as ConsumerStrategy<unknown, unknown>,
      options: value,
      location,
      skips: this.#skips.of(value, strategy.describe()),
      place,
    });
    return new DirectStream<K, V>(node, this.#graph);
  }

  /**
   * A dataset over fixed ranges: newer messages are ignored, deleted ones are an error when they are read.
   * Positions other than offsets are looked up once, now, and printed. Use it in foreachRDD or transform, or in an embedded application.
   * `leaders`, keyed "topic-partition", are hosts where the partitions should be read; when given together with plain offsets, Kafka is not asked at all.
   * @throws MillraceError OFFSET_RANGE_INVALID, UNKNOWN_TOPIC, UNKNOWN_PARTITION, CONFIG_INVALID, KAFKA_UNREACHABLE
   */
  async createRDD<K = string | null, V = string>(
    options: ReadOptions<K, V>,
    ranges: readonly (OffsetRange | RangeSpec)[],
    location: LocationStrategy = LocationStrategies.PreferConsistent,
    known: { readonly leaders?: ReadonlyMap<string, string> } = {},
  ): Promise<RDD<KafkaRecord<K, V>>> {
    const place = callerPlace();
    try {
      return await this.#createRDD(options, ranges, location, known);
    } catch (error) {
      throw MillraceError.is(error) ? placed(error, place) : error;
    }
  }

  async #createRDD<K, V>(
    options: ReadOptions<K, V>,
    ranges: readonly (OffsetRange | RangeSpec)[],
    location: LocationStrategy,
    known: { readonly leaders?: ReadonlyMap<string, string> },
  ): Promise<RDD<KafkaRecord<K, V>>> {
    // What can be refused without Kafka is, also when the job is only being built.
    const specs = checkRanges(ranges);
    checkLocation(location);
    if (location.kind === 'PreferBrokers' && known.leaders === undefined) {
      throw new MillraceError('JOB_INVALID', 'createRDD cannot use PreferBrokers without known leaders', {
        remedy: 'Use PreferConsistent, or give { leaders }.',
      });
    }
    const resolved = resolveConsumerOptions({ groupId: 'createRDD', ...options }, 'createRDD');
    const runner = this.#graph.runner;
    if (typeof resolved.onDecodeError === 'object') {
      const reads = new Set(specs.map(({ topic }) => topic));
      const { deadLetterTopic } = resolved.onDecodeError;
      const problem = await deadLetterProblem(deadLetterTopic, reads, runner.kafka(resolved.client));
      if (problem) throw problem;
    }
    const literal = literalRanges(specs);
    const fixed =
      literal !== undefined && known.leaders !== undefined
        ? literal
        : await resolveRanges(runner.kafka(resolved.client), specs, resolved.isolation);
    if (literal === undefined) {
      const shown = fixed
        .map((r) => `${r.topic}-${r.partition} [${r.fromOffset}, ${r.untilOffset})`)
        .join(', ');
      runner.notice(`createRDD resolved ${shown}`);
    }
    const source = {
      sourceId: NO_STREAM,
      client: resolved.client,
      groupId: resolved.groupId,
      isolation: resolved.isolation,
      key: shipCodec(resolved.key, DEFAULT_KEY_CODEC, runner.ship),
      value: shipCodec(resolved.value, DEFAULT_VALUE_CODEC, runner.ship),
      location: known.leaders ? LocationStrategies.PreferFixed(known.leaders) : location,
      skips: this.#skips.of(resolved, 'createRDD'),
    };
    return new RDD<KafkaRecord<K, V>>({ kind: 'kafka', source, ranges: fixed }, runner);
  }
}

/** Spark's names. */
export const KafkaUtils = {
  /** See KafkaNamespace.createDirectStream. */
  createDirectStream<K = string | null, V = string>(
    ssc: { readonly kafka: KafkaNamespace },
    location: LocationStrategy,
    strategy: ConsumerStrategy<K, V>,
  ): DirectStream<K, V> {
    return ssc.kafka.createDirectStream(location, strategy);
  },
  /** See KafkaNamespace.createRDD. */
  createRDD<K = string | null, V = string>(
    ssc: { readonly kafka: KafkaNamespace },
    ...args: Parameters<typeof KafkaNamespace.prototype.createRDD<K, V>>
  ): Promise<RDD<KafkaRecord<K, V>>> {
    return ssc.kafka.createRDD<K, V>(...args);
  },
} as const;

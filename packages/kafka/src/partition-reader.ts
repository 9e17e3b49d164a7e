import { MillraceError } from '@millrace/common';
import type { IsolationLevel, PartitionReader, ReaderOptions } from './kafka-port.ts';
import { type OffsetRange, offsetRange } from './offset-range.ts';
import {
  type FetchContext,
  type Fetched,
  type FetcherOptions,
  PartitionFetcher,
  type ReadPosition,
} from './partition-fetcher.ts';
import { RecordColumns } from './record-columns.ts';
import { decodeRecordBatches } from './records/record-batch-decoder.ts';
import type { TopicPartition } from './topic-partition.ts';

interface ReadOptions {
  readonly reuseColumns?: boolean;
  readonly signal?: AbortSignal;
}

/** The first fetch of a range that will be read. */
interface Ahead {
  readonly range: OffsetRange;
  readonly fetched: Promise<Fetched>;
  readonly abandoned: AbortController;
}

/**
 * What a reader may hold that nobody has asked for yet: a process holds as much for each of its readers. A batch that is worth fetching ahead
 * is smaller; of a larger one, the rest comes while this is decoded.
 */
const AHEAD_BYTES_MAX = 512 * 1024;
const ABANDONED = 'abandoned';

/** Reads ranges of one partition. Between reads it holds columns to be reused, and one response that was fetched ahead. */
export class FetchReader implements PartitionReader {
  private readonly context: FetchContext;
  private readonly tp: TopicPartition;
  private readonly isolation: IsolationLevel;
  private readonly topicId: string | undefined;
  private spare: RecordColumns | undefined;
  private ahead: Ahead | undefined;
  private readonly closed = new AbortController();

  constructor(context: FetchContext, tp: TopicPartition, options: ReaderOptions) {
    this.context = context;
    this.tp = { topic: tp.topic, partition: tp.partition };
    this.isolation = options.isolation ?? 'read_committed';
    this.topicId = options.topicId;
  }

  read(range: OffsetRange, options: ReadOptions = {}): AsyncIterable<RecordColumns> {
    const { topic, partition, fromOffset, untilOffset } = range;
    offsetRange(topic, partition, fromOffset, untilOffset);
    if (topic !== this.tp.topic || partition !== this.tp.partition) {
      throw new MillraceError(
        'OFFSET_RANGE_INVALID',
        `A reader of ${this.tp.topic}-${this.tp.partition} was given a range of ${topic}-${partition}`,
        { details: { topic, partition } },
      );
    }
    return this.chunks(range, options);
  }

  prefetch(range: OffsetRange): void {
    const { fromOffset, untilOffset, leaderEpoch } = range;
    if (this.closed.signal.aborted || fromOffset >= untilOffset) return;
    if (this.ahead !== undefined && isSameStart(this.ahead.range, range)) return;
    this.dropAhead();
    const abandoned = new AbortController();
    const stop = AbortSignal.any([abandoned.signal, this.closed.signal]);
    const position = { offset: fromOffset, epoch: leaderEpoch ?? -1, untilOffset };
    const small = { bytesMax: AHEAD_BYTES_MAX, gathers: true };
    const fetched = this.fetcherOf(range, small).fetch(position, stop);
    // It may never be awaited.
    fetched.catch(() => {});
    this.ahead = { range, fetched, abandoned };
  }

  async close(): Promise<void> {
    this.closed.abort(new MillraceError('CANCELLED', 'the reader was closed'));
    this.spare = undefined;
    this.dropAhead();
  }

  private dropAhead(): void {
    this.ahead?.abandoned.abort(ABANDONED);
    this.ahead = undefined;
  }

  /** What was fetched ahead for this very range; anything else is dropped. */
  private takeAhead(range: OffsetRange): Ahead | undefined {
    const { ahead } = this;
    if (ahead === undefined || !isSameStart(ahead.range, range)) {
      this.dropAhead();
      return undefined;
    }
    this.ahead = undefined;
    return ahead;
  }

  private fetcherOf(range: OffsetRange, options: FetcherOptions = {}): PartitionFetcher {
    const { context, tp, isolation, topicId } = this;
    return new PartitionFetcher(context, tp, isolation, range.topicId ?? topicId, options);
  }

  private async *chunks(
    range: OffsetRange,
    { reuseColumns = false, signal }: ReadOptions,
  ): AsyncGenerator<RecordColumns, void, undefined> {
    const { fromOffset, untilOffset } = range;
    if (fromOffset === untilOffset) return;
    const abandoned = new AbortController();
    const stop = AbortSignal.any(
      [abandoned.signal, this.closed.signal, signal].filter((s) => s !== undefined),
    );
    const fetcher = this.fetcherOf(range);
    const begin = (position: ReadPosition, before?: Promise<Fetched>): Promise<Fetched> => {
      // What failed ahead of the read may have passed meanwhile, or fails again.
      const fetching = before?.catch(() => fetcher.fetch(position, stop)) ?? fetcher.fetch(position, stop);
      // Whoever abandons the read leaves this one unawaited.
      fetching.catch(() => {});
      return fetching;
    };
    const reuse = reuseColumns ? this.takeSpare() : undefined;
    const ahead = this.takeAhead(range);
    const first = { offset: fromOffset, epoch: range.leaderEpoch ?? -1, untilOffset };
    try {
      let pending = begin(first, ahead?.fetched);
      let from = fromOffset;
      // What was fetched ahead shares its payload.
      let isOwn = ahead === undefined;
      for (;;) {
        const { response, next } = await unlessStopped(pending, stop);
        if (next.offset < untilOffset) {
          pending = begin(next);
          await microtasksDone();
        }
        yield* this.decode(response, from, untilOffset, reuse, stop);
        // Nobody looks at it any more: the consumer has asked for what follows.
        if (reuse !== undefined && isOwn) this.context.payloads.give(response.buf);
        if (next.offset >= untilOffset) return;
        from = next.offset;
        isOwn = true;
      }
    } finally {
      ahead?.abandoned.abort(ABANDONED);
      abandoned.abort(ABANDONED); // a reason of its own: to make the default one costs a stack trace
      if (reuse !== undefined && !this.closed.signal.aborted) this.spare = reuse;
    }
  }

  private *decode(
    { buf, start, end, aborted }: Fetched['response'],
    fromOffset: number,
    untilOffset: number,
    reuse: RecordColumns | undefined,
    stop: AbortSignal,
  ): Generator<RecordColumns, void, undefined> {
    const options = { ...this.tp, fromOffset, untilOffset, aborted, ...(reuse ? { reuse } : {}) };
    for (const columns of decodeRecordBatches(buf, start, end, options)) {
      if (stop.aborted) throw stopped(stop);
      yield columns;
    }
  }

  /** Two reads at the same time never share columns. */
  private takeSpare(): RecordColumns {
    const columns = this.spare ?? new RecordColumns(this.tp.topic, this.tp.partition, 0);
    this.spare = undefined;
    return columns;
  }
}

/**
 * Sending a request takes a few microtasks: without this, the next fetch would leave only after this one is decoded and consumed, and the
 * broker would idle meanwhile. Ticks run when no microtask is left.
 */
async function microtasksDone(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
}

function isSameStart(a: OffsetRange, b: OffsetRange): boolean {
  return (
    a.fromOffset === b.fromOffset &&
    a.untilOffset === b.untilOffset &&
    a.topicId === b.topicId &&
    a.leaderEpoch === b.leaderEpoch
  );
}

function stopped(signal: AbortSignal): MillraceError {
  return MillraceError.from(signal.reason, 'CANCELLED');
}

/** The response itself cannot be called off: it is dropped when it comes. */
async function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw stopped(signal);
  const { promise: abort, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(stopped(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

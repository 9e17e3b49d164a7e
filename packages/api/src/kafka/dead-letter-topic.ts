import { serialize } from 'node:v8';
import { HANDLE } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import type { KafkaClient, OffsetRange } from '@millrace/kafka';
import type { AccumulatorRegistry, CollectionAccumulator } from '../accumulator.ts';
import { type ReadRange, ReadRanges } from './read-ranges.ts';

/** Where records go that do not decode. */
export interface DeadLetterOptions {
  /** It must exist, and the stream must not read it. */
  readonly deadLetterTopic: string;
}

/** What a task must know of it. */
export interface DeadLetterSettings {
  readonly topic: string;
  /** Id of the accumulator that is told what a task has read. */
  readonly readId: string;
  /** What tasks before it have read: its dead letters are written. */
  readonly read: readonly ReadRange[];
}

/**
 * The dead letters of one source in one run: they are written when a record is first read, not again by outputs, windows and recomputations
 * that read it later. Tasks tell what they have read when they succeed.
 */
export class DeadLetterTopic {
  readonly topic: string;
  readonly #read = new ReadRanges();
  readonly #told: CollectionAccumulator<ReadRange>;

  constructor({ deadLetterTopic }: DeadLetterOptions, registry: AccumulatorRegistry) {
    this.topic = deadLetterTopic;
    this.#told = registry.list<ReadRange>(undefined);
  }

  /** DeadLetterSettings for tasks that read these ranges, encoded. */
  settings(ranges: readonly OffsetRange[]): Uint8Array {
    for (const read of this.#told.value) this.#read.add(read);
    this.#told.reset();
    const { id } = (this.#told as CollectionAccumulator<ReadRange> & { readonly [HANDLE]: { id: string } })[
      HANDLE
    ];
    return serialize({
      topic: this.topic,
      readId: id,
      read: this.#read.within(ranges),
    } satisfies DeadLetterSettings);
  }
}

/** A stream that reads its own dead letters would never end. `reads`: the topics that it reads. */
export function deadLetterLoop(topic: string, reads: ReadonlySet<string>): MillraceError | undefined {
  if (!reads.has(topic)) return undefined;
  return new MillraceError('CONFIG_INVALID', `"${topic}" is read, and is its own dead-letter topic`, {
    remedy: 'Give onDecodeError a topic that the stream does not read, nor its pattern matches.',
    details: { topic },
  });
}

/** What keeps a source from writing its dead letters; undefined: nothing. @throws MillraceError KAFKA_UNREACHABLE, KAFKA_AUTH. */
export async function deadLetterProblem(
  topic: string,
  reads: ReadonlySet<string>,
  kafka: Pick<KafkaClient, 'topics'>,
): Promise<MillraceError | undefined> {
  const loop = deadLetterLoop(topic, reads);
  if (loop !== undefined) return loop;
  try {
    await kafka.topics([topic]);
    return undefined;
  } catch (error) {
    if (!MillraceError.is(error, 'UNKNOWN_TOPIC')) throw error;
    return new MillraceError('UNKNOWN_TOPIC', `the dead-letter topic "${topic}" does not exist`, {
      remedy: 'Create it, or mend its name in onDecodeError.',
      details: { topic },
      cause: error,
    });
  }
}

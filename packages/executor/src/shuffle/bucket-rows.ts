import { ownText } from '../pipeline/own-text.ts';
import { KeyDictionary } from './key-dictionary.ts';
import type { Row } from './row-block.ts';
import { ShuffleWriter, type ShuffleWriterOptions, type WrittenRows } from './shuffle-writer.ts';

export interface BucketRowsOptions extends ShuffleWriterOptions {
  /** What may be held without a file, by `finish`. */
  readonly inlineBytesMax?: number;
  /** Keys may repeat, and those that are equal go to one bucket. */
  readonly keysRepeat?: boolean;
}

/** Takes the rows of a map task one by one, from the loop that makes them, to the buckets that `bucketOf` names. Ends with `finish` or `abort`. */
export class BucketRows {
  readonly #writer: ShuffleWriter;
  readonly #bucketOf: (key: unknown) => number;
  readonly #inlineBytesMax: number;
  /** Absent: keys are written as they are. */
  #dictionary: KeyDictionary | undefined;

  constructor(options: BucketRowsOptions, bucketOf: (key: unknown) => number) {
    const { inlineBytesMax = 0, keysRepeat, buckets, bufferBytesMax } = options;
    this.#writer = new ShuffleWriter(options);
    this.#bucketOf = bucketOf;
    this.#inlineBytesMax = inlineBytesMax;
    this.#dictionary = keysRepeat ? new KeyDictionary(buckets, bufferBytesMax / 2) : undefined;
  }

  /** Whether the next step should be `flush`: the bound is reached. */
  get isFull(): boolean {
    return this.#writer.isFull;
  }

  /** @throws MillraceError USER_CODE, RESULT_TOO_LARGE; what `bucketOf` throws. */
  take(key: unknown, value: unknown): void {
    const dictionary = this.#dictionary;
    if (dictionary !== undefined && typeof key === 'string') {
      const at = dictionary.find(key);
      if (at >= 0) {
        this.#writer.addNumbered(dictionary.places[at] as number, key, false, value);
        return;
      }
    }
    this.#takeNew(dictionary, key, value);
  }

  /** Keeps nothing of what the rows so far were a part of. @throws MillraceError USER_CODE, RESULT_TOO_LARGE. */
  own(): void {
    this.#writer.encode();
  }

  /** Writes what is held. @throws MillraceError SHUFFLE_DISK, USER_CODE, RESULT_TOO_LARGE. */
  async flush(): Promise<void> {
    await this.#writer.flush();
  }

  /** @throws as `flush`. */
  async finish(): Promise<WrittenRows> {
    const max = this.#inlineBytesMax;
    return (max > 0 ? this.#writer.inline(max) : undefined) ?? (await this.#writer.finish());
  }

  /** Removes what was written, unless it is finished. Never throws; idempotent. */
  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  /** A key that is no text of the dictionary yet. */
  #takeNew(dictionary: KeyDictionary | undefined, key: unknown, value: unknown): void {
    const bucket = this.#bucketOf(key);
    const text = dictionary !== undefined && typeof key === 'string' ? ownText(key) : undefined;
    const at = text === undefined ? -1 : (dictionary?.add(text, bucket) ?? -1);
    if (dictionary === undefined || text === undefined || at < 0) {
      // A key that is none for a dictionary: there will be more of them.
      this.#dictionary = undefined;
      this.#writer.add(bucket, key, value);
      return;
    }
    this.#writer.addNumbered(dictionary.places[at] as number, text, true, value);
    if (!dictionary.isFull) return;
    if (dictionary.pays) {
      dictionary.clear();
      this.#writer.beginTexts();
    } else this.#dictionary = undefined;
  }
}

/**
 * Writes all rows, and finishes the file. Nothing is left when it fails.
 * @throws MillraceError USER_CODE, RESULT_TOO_LARGE, SHUFFLE_DISK; what `rows` and `bucketOf` throw.
 */
export async function writeShuffleFile(
  options: BucketRowsOptions,
  chunks: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
  bucketOf: (key: unknown) => number,
): Promise<WrittenRows> {
  const rows = new BucketRows(options, bucketOf);
  try {
    for await (const chunk of chunks) {
      for (const [key, value] of chunk) {
        rows.take(key, value);
        if (rows.isFull) await rows.flush();
      }
    }
    return await rows.finish();
  } finally {
    await rows.abort();
  }
}

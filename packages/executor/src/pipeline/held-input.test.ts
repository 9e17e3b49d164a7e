import { join } from 'node:path';
import { serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { RecordColumns } from '@millrace/kafka';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import type { TaskStorage } from './task-storage.ts';
import { columns, op, type Row, ran, type Setup } from './testing/pipeline-setup.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const FETCHES = 60;
const FETCH_RECORDS = 20;
const VALUE_LENGTH = 50_000;
const FETCH_BYTES = FETCH_RECORDS * VALUE_LENGTH;
const MEMORY_BYTES_MAX = 2 * FETCH_BYTES;

/** What of the input is alive when all of it has been read, in fetches. */
interface Held {
  readonly buffers: number;
  readonly heap: number;
}

/** Runs a task whose records are large; what it makes of them is small. */
async function heldBy(operators: Setup['operators'], buckets = 1, kind = 'shuffleWrite'): Promise<Held> {
  const buffers: WeakRef<ArrayBufferLike>[] = [];
  const before = heapBytes();
  let held: Held | undefined;
  async function* input(): AsyncIterable<RecordColumns> {
    for (let fetch = 0; fetch < FETCHES; fetch++) yield next(fetch, buffers);
    await new Promise(setImmediate);
    const heap = (heapBytes() - before) / FETCH_BYTES;
    held = { heap, buffers: buffers.filter((buffer) => buffer.deref()).length };
  }
  const partitioner = { kind: 'hash', partitions: buckets };
  await withDirectory(async (directory) => {
    const storage: TaskStorage = {
      mapOutputPath: () => join(directory, 'out'),
      spillDirectory: join(directory, 'spill'),
      memoryBytesMax: MEMORY_BYTES_MAX,
      fileBytesMax: 1e9,
    };
    const action = { kind, value: serialize({ directory: 'd', partitioner }) };
    await ran({ input: input(), ...(operators && { operators }), action, storage });
  });
  return held as Held;
}

/** A function of its own: what it makes is on no stack when garbage is collected. */
function next(fetch: number, buffers: WeakRef<ArrayBufferLike>[]): RecordColumns {
  const made = columns(
    Array.from({ length: FETCH_RECORDS }, (_, row) =>
      `session-number-${fetch * FETCH_RECORDS + row} `.padEnd(VALUE_LENGTH, 'x'),
    ),
    fetch * FETCH_RECORDS,
  );
  buffers.push(new WeakRef(made.buf.buffer));
  return made;
}

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const sessionOf = ({ value }: Row): string => value.slice(0, value.indexOf(' '));

/** One record of each is the first. */
const fetchOf = ({ timestamp }: Row): number => Math.floor((timestamp - 1000) / FETCH_RECORDS);

describe('a task holds little of what it has read', () => {
  it.each<[string, Setup['operators']]>([
    ['a few of the records', [op('keyBy', [fetchOf]), op('combine', [])]],
    [
      'parts of them',
      [op('map', [(row: Row) => [fetchOf(row), [sessionOf(row), row]]]), op('combine', [(a: unknown) => a])],
    ],
  ])('when it combines %s', async (_, operators) => {
    const { buffers, heap } = await heldBy(operators);
    // As much as is read between two looks, and what is being read.
    expect(buffers).toBeLessThan(FETCHES / 5);
    expect(heap).toBeLessThan(FETCHES / 5);
  });

  it('when its keys are cut out of values', async () => {
    const counted = op('map', [(row: Row) => [sessionOf(row), 1]]);
    expect((await heldBy([counted, op('combine', [], [1])])).heap).toBeLessThan(FETCHES / 10);
    expect((await heldBy([counted])).heap).toBeLessThan(FETCHES / 5);
    const inTuples = op('map', [(row: Row) => [[sessionOf(row), row.offset], 1]]);
    expect((await heldBy([inTuples, op('combine', [], [1])])).heap).toBeLessThan(FETCHES / 10);
  });

  it.each(['collect', 'countByValue'])('when the rows of its %s are', async (kind) => {
    const cut = op('map', [(row: Row) => sessionOf(row)]);
    expect((await heldBy([cut], 1, kind)).heap).toBeLessThan(FETCHES / 5);
  });

  it('when the values of its rows are', async () => {
    const cut = op('map', [(row: Row) => [row.key, sessionOf(row)]]);
    expect((await heldBy([cut], 50)).heap).toBeLessThan(FETCHES / 5);
    const least = op('combine', [(a: string, b: string) => (a < b ? a : b)]);
    expect((await heldBy([cut, least])).heap).toBeLessThan(FETCHES / 5);
  });
});

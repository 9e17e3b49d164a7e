import { deserialize } from 'node:v8';
import { type PartitionerCall, rangeIndex, type TaskContextData } from '@millrace/api/internal';
import { assertNever, MillraceError, placed } from '@millrace/common';
import type { ActionMessage } from '@millrace/proto/task';
import { encodeMapOutput } from '@millrace/proto/task';
import { BucketRows, writeShuffleFile } from '../shuffle/bucket-rows.ts';
import { hashPartition } from '../shuffle/key-hash.ts';
import type { Row } from '../shuffle/row-block.ts';
import { readExactly, withShuffleFile } from '../shuffle/shuffle-file.ts';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';
import { mix } from './loop-runtime.ts';
import type { TaskStorage } from './task-storage.ts';

/** `value` of a storeWrite action. */
interface StoreTarget {
  readonly directory: string;
  /** The rows are also wanted in the result: of a checkpoint. */
  readonly copies?: true;
}

/** `value` of a shuffleWrite action. */
interface ShuffleTarget {
  /** application/epoch/batch/job/stage. */
  readonly directory: string;
  /** What may travel in the result, of this task. */
  readonly inlineBytesMax?: number;
  readonly partitioner: Exclude<PartitionerCall, { kind: 'custom' }> | { kind: 'custom'; partitions: number };
}

export interface WrittenShuffle {
  /** An encoded MapOutput. */
  readonly result: Uint8Array;
  /** Absent: the rows are in the result. */
  readonly written?: MapOutputName;
}

type Compare = (a: unknown, b: unknown) => number;

/** What takes the rows of a map task, until it is finished or aborted. */
export interface OpenShuffle {
  readonly rows: BucketRows;
  /** @throws MillraceError USER_CODE, RESULT_TOO_LARGE, SHUFFLE_DISK. */
  readonly finish: () => Promise<WrittenShuffle>;
}

/**
 * What a map task does with its rows [key, value]: they go to the buckets of a shuffle. `isCombined`: each has another key.
 * @throws MillraceError INTERNAL when it is not known where to.
 */
export function openShuffle(
  { value, place }: Pick<ActionMessage, 'value' | 'place'>,
  functions: readonly Function[],
  task: Pick<TaskContextData, 'partitionId' | 'attemptNumber'>,
  storage: TaskStorage | undefined,
  isCombined: boolean,
): OpenShuffle {
  if (value === undefined || storage === undefined)
    throw new MillraceError('INTERNAL', 'a map task does not know where to write');
  const { directory, inlineBytesMax = 0, partitioner } = deserialize(value) as ShuffleTarget;
  const written = { shuffle: directory, mapPartition: task.partitionId, attempt: task.attemptNumber };
  const rows = new BucketRows(
    {
      path: storage.mapOutputPath(written),
      buckets: partitioner.partitions,
      bufferBytesMax: storage.memoryBytesMax,
      fileBytesMax: storage.fileBytesMax,
      inlineBytesMax: Math.min(inlineBytesMax, storage.inlineBytesMax ?? 0),
      place,
      keysRepeat: partitioner.kind === 'hash' && !isCombined,
    },
    bucketOf(partitioner, functions[0], task.partitionId, place),
  );
  return {
    rows,
    async finish() {
      const { sizes, inline } = await rows.finish();
      return inline
        ? { result: encodeMapOutput({ sizes, inline }) }
        : { result: encodeMapOutput({ sizes }), written };
    },
  };
}

/**
 * What a map task of a persisted dataset does: its rows, to bucket 0. They travel as keys.
 * @throws MillraceError USER_CODE, RESULT_TOO_LARGE, SHUFFLE_DISK; what the rows throw.
 */
export async function writeStored(
  rows: AsyncIterable<unknown[]>,
  { value, place }: Pick<ActionMessage, 'value' | 'place'>,
  task: Pick<TaskContextData, 'partitionId' | 'attemptNumber'>,
  storage: TaskStorage | undefined,
): Promise<WrittenShuffle> {
  if (value === undefined || storage === undefined)
    throw new MillraceError('INTERNAL', 'a map task does not know where to write');
  const { directory, copies } = deserialize(value) as StoreTarget;
  const written = { shuffle: directory, mapPartition: task.partitionId, attempt: task.attemptNumber };
  const path = storage.mapOutputPath(written);
  const { sizes } = await writeShuffleFile(
    {
      path,
      buckets: 1,
      bufferBytesMax: storage.memoryBytesMax,
      fileBytesMax: storage.fileBytesMax,
      place,
    },
    asKeys(rows),
    () => 0,
  );
  const [bytes = 0] = sizes;
  if (!copies || bytes === 0) return { result: encodeMapOutput({ sizes }), written };
  // The blocks of the only bucket begin the file, without gaps.
  const copy = await withShuffleFile(path, (file) => readExactly(file, { offset: 0, bytes }, { path }));
  return { result: encodeMapOutput({ sizes, copy }), written };
}

async function* asKeys(chunks: AsyncIterable<unknown[]>): AsyncGenerator<Row[], void, undefined> {
  for await (const rows of chunks) yield rows.map((row): Row => [row, undefined]);
}

/** What cannot be a key, or has no order, is refused with the operator's place. */
function at(place: string, bucket: (key: unknown) => number): (key: unknown) => number {
  return (key) => {
    try {
      return bucket(key);
    } catch (error) {
      throw MillraceError.is(error) ? placed(error, place) : error;
    }
  };
}

function bucketOf(
  partitioner: ShuffleTarget['partitioner'],
  f: Function | undefined,
  mapPartition: number,
  place: string,
): (key: unknown) => number {
  const { kind, partitions } = partitioner;
  switch (kind) {
    case 'hash':
      return at(place, (key) => hashPartition(key, partitions));
    case 'range':
      return at(place, rangeIndex(partitioner, f as Compare | undefined));
    case 'custom':
      return f as (key: unknown) => number;
    case 'roundRobin': {
      // Map tasks begin at different buckets; a re-run begins where this one did.
      let next = mix(mapPartition, partitions) % partitions;
      return () => {
        const bucket = next;
        next = (next + 1) % partitions;
        return bucket;
      };
    }
    default:
      return assertNever(kind, 'partitioner');
  }
}

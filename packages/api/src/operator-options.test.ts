import { describe, expect, it } from '@jest/globals';
import { StorageLevel } from './lineage/storage-level.ts';
import { dataset } from './testing/datasets.ts';

/** What TypeScript would refuse: jobs are submitted without its check. */
const untyped = (value: unknown): never => value as never;
const pairs = () => dataset([[['b', 1]], [['a', 2]]] as [string, number][][]);

describe("another engine's positional arguments", () => {
  it('are refused where options are an object', async () => {
    await expect(pairs().sortByKey(untyped(false))).rejects.toMatchObject({
      code: 'JOB_INVALID',
      what: 'sortByKey(): options cannot be false',
      remedy: 'Its options are an object: { descending, partitions, compare }.',
    });
    await expect(pairs().sortByKey(untyped({ ascending: false }))).rejects.toThrow(
      'sortByKey(): unknown option "ascending"',
    );
    await expect(pairs().sortBy(([, v]) => v, untyped(true))).rejects.toThrow(
      'sortBy(): options cannot be true',
    );
    expect(() => pairs().coalesce(8, untyped(true))).toThrow('coalesce(): options cannot be true');
    expect(() => pairs().coalesce(8, untyped([true]))).toThrow('coalesce(): options cannot be an array');
  });

  it('are refused where a storage level is unknown here', () => {
    const levels = StorageLevel as Readonly<Record<string, StorageLevel>>;
    expect(() => pairs().persist(levels['MEMORY_AND_DISK_SER'])).toThrow(
      'persist(undefined): no storage level',
    );
    expect(() => pairs().persist(untyped('toString'))).toThrow('persist(toString): no storage level');
    expect(pairs().persist().storageLevel).toBe('MEMORY_AND_DISK');
  });
});

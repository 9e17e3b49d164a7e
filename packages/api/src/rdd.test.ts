import { serialize } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { decodeResult, emptyResult } from './actions/index.ts';
import type { RddNode } from './lineage/rdd-node.ts';
import { RDD } from './rdd.ts';
import { fakeRunner } from './testing/fake-runner.ts';

const rows = (partitions: number): RddNode => ({
  kind: 'rows',
  partitions: Array.from({ length: partitions }, () => []),
});

describe('RDD actions', () => {
  it('merge partitions in partition order', async () => {
    expect(
      await new RDD<string>(
        rows(2),
        fakeRunner(() => [['a', 'b'], ['c']]),
      ).collect(),
    ).toEqual(['a', 'b', 'c']);
    expect(
      await new RDD(
        rows(3),
        fakeRunner(() => [1, 2, 4]),
      ).count(),
    ).toBe(7);
    const reduce = fakeRunner(() => [['a'], [], ['b']]);
    expect(await new RDD<string>(rows(3), reduce).reduce((a, b) => a + b)).toBe('ab');
  });

  it('take reads further partitions only when it must', async () => {
    const runner = fakeRunner(({ partitions = [] }) => partitions.map((p) => (p < 2 ? [] : [`p${p}`])));
    expect(await new RDD<string>(rows(9), runner).take(2)).toEqual(['p2', 'p3']);
    expect(runner.jobs.map(({ partitions }) => partitions)).toEqual([[0], [1, 2, 3, 4]]);
    expect(runner.jobs.at(-1)?.action.numbers).toEqual([2]);
  });

  it('say what to do about an empty RDD', async () => {
    const runner = fakeRunner(() => [[]]);
    await expect(new RDD(rows(1), runner).first()).rejects.toThrow('first() of an empty RDD. Ask isEmpty()');
    await expect(new RDD<number>(rows(1), runner).reduce((a, b) => a + b)).rejects.toThrow(
      'reduce() of an empty RDD',
    );
    // A file outside of this package, as a job's is.
    const first = runInThisContext('(rdd) => rdd.first()', { filename: '/jobs/job.ts' });
    await expect(first(new RDD(rows(1), runner))).rejects.toMatchObject({
      code: 'USER_CODE',
      details: { place: expect.stringMatching(/^\/jobs\/job\.ts:1:\d+$/) },
    });
    expect(await new RDD(rows(0), runner).isEmpty()).toBe(true);
  });

  it('combine equal values of different partitions in countByValue', async () => {
    const runner = fakeRunner(() => [
      [
        [['u', 1], 2],
        [['u', 2], 1],
      ],
      [[['u', 1], 3]],
    ]);
    expect([...(await new RDD(rows(2), runner).countByValue())]).toEqual([
      [['u', 1], 5],
      [['u', 2], 1],
    ]);
  });

  it('sort what partitions kept in order', async () => {
    const runner = fakeRunner(() => [
      [9, 7],
      [8, 1],
    ]);
    expect(await new RDD<number>(rows(2), runner).top(3)).toEqual([9, 8, 7]);
  });

  it('refuse wrong numbers and async element functions before anything runs', async () => {
    const runner = fakeRunner();
    const rdd = new RDD<number>(rows(1), runner);
    const asyncFunction: () => unknown = async () => undefined;
    await expect(rdd.take(-1)).rejects.toThrow('n cannot be -1');
    await expect(rdd.take(1.5)).rejects.toThrow('n cannot be 1.5');
    expect(() => rdd.sample(false, 2)).toThrow('fraction cannot be 2');
    expect(() => rdd.map(async (x) => x)).toThrow('ELEMENT_PROMISE');
    expect(() => rdd.mapAsync(async (x) => x, { concurrency: 0 })).toThrow('concurrency cannot be 0');
    await expect(rdd.foreach(asyncFunction)).rejects.toThrow('ELEMENT_PROMISE');
    await expect(rdd.fold(new (class Sum {})() as never, (a) => a)).rejects.toThrow(
      'must be plain data: the zero value is an instance of Sum',
    );
    expect(runner.jobs).toEqual([]);
  });

  it('show the offset ranges at every stage', () => {
    const range = { topic: 't', partition: 0, fromOffset: 1, untilOffset: 5 };
    const kafka = { kind: 'kafka', source: {} as never, ranges: [range] } as const;
    const runner = fakeRunner();
    const rdd = new RDD<number>(kafka, runner).map((x) => x).union(new RDD<number>(kafka, runner));
    expect(rdd.offsetRanges).toEqual([range, range]);
    expect(rdd.partitions).toBe(2);
  });

  it('know the result of a partition without rows', () => {
    const call = (kind: 'collect' | 'count' | 'fold' | 'foreachPartition') =>
      emptyResult({
        kind,
        functions: [],
        numbers: [],
        place: '',
        ...(kind === 'fold' ? { value: serialize(5) } : {}),
      });
    expect(decodeResult(call('collect') as Uint8Array)).toEqual([]);
    expect(decodeResult(call('count') as Uint8Array)).toBe(0);
    expect(decodeResult(call('fold') as Uint8Array)).toBe(5);
    expect(call('foreachPartition')).toBeUndefined();
  });
});

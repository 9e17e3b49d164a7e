import { runInThisContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { unordered } from '../testing/datasets.ts';
import { fakeRunner } from '../testing/fake-runner.ts';
import { type Build, batchOf, evaluated, type Pair } from '../testing/stream-batch.ts';
import { BatchRdds } from './compute-rdd.ts';

const add = (a: number, b: number): number => a + b;
const untyped = (value: unknown): never => value as never;

const A: readonly Pair[] = [
  ['a', 1],
  ['b', 2],
  ['a', 3],
  ['c', 4],
];
const B: readonly Pair[] = [
  ['a', 10],
  ['d', 20],
];

describe('operators of a stream, batch by batch', () => {
  it.each<[string, Build, readonly unknown[]]>([
    ['count', (s) => s.count(), [4]],
    ['reduce', (s) => s.values().reduce(add), [10]],
    [
      'countByValue',
      (s) => s.keys().countByValue(),
      [
        ['a', 2],
        ['b', 1],
        ['c', 1],
      ],
    ],
    ['distinct', (s) => s.keys().distinct(3), ['a', 'b', 'c']],
    ['repartition', (s) => s.repartition(3), A],
    ['coalesce', (s) => s.coalesce(1), A],
    [
      'groupBy',
      (s) => s.values().groupBy((v) => v > 2, 2),
      [
        [false, [1, 2]],
        [true, [3, 4]],
      ],
    ],
    [
      'partitionBy',
      (s) => s.partitionBy({ partitions: 2, partitionOf: () => 1 }).glom(),
      [[], [A[0], A[2], A[1], A[3]]],
    ],
    [
      'reduceByKey',
      (s) => s.reduceByKey(add),
      [
        ['a', 4],
        ['b', 2],
        ['c', 4],
      ],
    ],
    [
      'foldByKey',
      (s) => s.foldByKey(0, add),
      [
        ['a', 4],
        ['b', 2],
        ['c', 4],
      ],
    ],
    [
      'aggregateByKey',
      (s) =>
        s.aggregateByKey(
          '',
          (t, v) => `${t}${v}`,
          (a, b) => a + b,
        ),
      [
        ['a', '13'],
        ['b', '2'],
        ['c', '4'],
      ],
    ],
    [
      'combineByKey',
      (s) =>
        s.combineByKey(
          String,
          (t, v) => t + v,
          (a, b) => a + b,
        ),
      [
        ['a', '13'],
        ['b', '2'],
        ['c', '4'],
      ],
    ],
    [
      'groupByKey',
      (s) => s.groupByKey(2),
      [
        ['a', [1, 3]],
        ['b', [2]],
        ['c', [4]],
      ],
    ],
    [
      'join',
      (s, t) => s.join(t),
      [
        ['a', [1, 10]],
        ['a', [3, 10]],
      ],
    ],
    [
      'leftOuterJoin',
      (s, t) => t.leftOuterJoin(s),
      [
        ['a', [10, 1]],
        ['a', [10, 3]],
        ['d', [20, undefined]],
      ],
    ],
    [
      'rightOuterJoin',
      (s, t) => s.rightOuterJoin(t),
      [
        ['a', [1, 10]],
        ['a', [3, 10]],
        ['d', [undefined, 20]],
      ],
    ],
    ['fullOuterJoin', (s, t) => s.fullOuterJoin(t).count(), [5]],
    [
      'cogroup',
      (s, t) => s.cogroup(t),
      [
        ['a', [[1, 3], [10]]],
        ['b', [[2], []]],
        ['c', [[4], []]],
        ['d', [[], [20]]],
      ],
    ],
    [
      'subtractByKey',
      (s, t) => s.subtractByKey(t),
      [
        ['b', 2],
        ['c', 4],
      ],
    ],
    ['subtract', (s, t) => s.keys().subtract(t.keys()), ['b', 'c']],
    ['intersection', (s, t) => s.keys().intersection(t.keys()), ['a']],
    ['cartesian', (s, t) => s.values().cartesian(t.values()).count(), [8]],
    ['zip', (s) => s.keys().zip(s.values()), A],
    [
      'transformWith',
      (s, t) => s.transformWith(t, (a, b, time) => a.join(b).map(([key]) => [key, time])),
      [
        ['a', 1000],
        ['a', 1000],
      ],
    ],
    [
      'a join with a table',
      (s, _t, ssc) => {
        const table = ssc.parallelize(
          [
            ['a', 'A'],
            ['b', 'B'],
          ] as [string, string][],
          3,
        );
        return s.transform((rdd) => rdd.join(table));
      },
      [
        ['a', [1, 'A']],
        ['a', [3, 'A']],
        ['b', [2, 'B']],
      ],
    ],
  ])('%s', async (_name, build, expected) => {
    expect(unordered(await batchOf(build, A, B))).toEqual(unordered(expected));
  });

  it('in order: sortBy, sortByKey, zipWithIndex', async () => {
    const sorted = await batchOf((s) => s.sortBy(([, v]) => v, { descending: true, partitions: 2 }), A);
    expect(sorted).toEqual(A.toReversed());
    expect(await batchOf((s) => s.sortByKey({ compare: (a, b) => b.localeCompare(a) }), A)).toEqual([
      A[3],
      A[1],
      A[0],
      A[2],
    ]);
    expect(await batchOf((s) => s.keys().zipWithIndex(), A)).toEqual([
      ['a', 0],
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
  });

  it('an empty batch has a count of 0, and nothing else', async () => {
    expect(await batchOf((s) => s.count(), [])).toEqual([0]);
    expect(await batchOf((s) => s.values().reduce(add), [])).toEqual([]);
    expect(await batchOf((s, t) => s.reduceByKey(add).fullOuterJoin(t), [])).toEqual([]);
    expect(await batchOf((s) => s.sortByKey(), [])).toEqual([]);
  });
});

describe('the lineage of a batch', () => {
  it('names the place in the job of operators without a lambda', async () => {
    // A file outside of this package, as a job's is.
    const build: Build = runInThisContext('(left, right) => left.groupByKey().join(right, 3)', {
      filename: '/jobs/job.ts',
    });
    const internals = await evaluated(build);
    const runner = fakeRunner();
    internals.attach(runner);
    const { graph } = internals.graph;
    const rdds = new BatchRdds({ graph, runner });
    rdds.begin({ time: 1000, previous: undefined, ranges: () => [] });
    const { node } = (await rdds.rdd(graph.outputs[0]?.node as never)) ?? {};
    const places = [...JSON.stringify(node).matchAll(/"place":"([^"]*)"/g)].map(([, place]) => place);
    expect(places).toEqual(expect.arrayContaining(['/jobs/job.ts:1:23', '/jobs/job.ts:1:36']));
  });
});

describe('mistakes with operators of a stream', () => {
  it('are all found while the job is built, with their place', async () => {
    const internals = await evaluated((s) => {
      s.reduceByKey(untyped(5));
      s.groupByKey(0);
      s.groupByKey(untyped(null));
      s.foldByKey(
        untyped(() => 1),
        add,
      );
      s.reduce(untyped(async () => 1));
      s.transformWith(s, untyped(undefined));
      return s.sortBy(untyped(undefined));
    });
    const problems = internals.graph.finish(fakeRunner().ship);
    expect(problems.map(({ code, what }) => [code, what])).toEqual([
      ['JOB_INVALID', 'reduceByKey() needs a function, got number'],
      ['JOB_INVALID', 'the number of partitions cannot be 0'],
      ['JOB_INVALID', 'the number of partitions cannot be null'],
      ['JOB_INVALID', 'the zero value of foldByKey must be plain data: the zero value is a function'],
      ['ELEMENT_PROMISE', expect.stringContaining('the function of reduce()')],
      ['JOB_INVALID', 'transformWith() needs a function, got undefined'],
      ['JOB_INVALID', 'sortBy() needs a function, got undefined'],
    ]);
    for (const { details } of problems) expect(details['place']).toBeTruthy();
  });

  it('lambdas and partitioners are tried before the application starts', async () => {
    const internals = await evaluated((s) =>
      s.reduceByKey(add, { partitions: 2, partitionOf: () => 0 }).join(s),
    );
    const runner = fakeRunner();
    internals.graph.finish(runner.ship);
    expect(runner.shipped).toEqual(['map', 'map', 'reduceByKey', 'reduceByKey']);
  });

  it('parallelize takes plain data as it is now, and runs nothing while the job is built', async () => {
    const rows = [1, 2, 3, 4, 5];
    await evaluated((s, _t, ssc) => {
      const rdd = ssc.parallelize(rows, 2);
      rows.length = 0;
      expect(rdd.node).toEqual({
        kind: 'rows',
        partitions: [
          [1, 2],
          [3, 4, 5],
        ],
      });
      expect(() => rdd.map((x) => x)).toThrow('while the job was being built');
      expect(() => ssc.parallelize([() => 1])).toThrow('must be plain data: rows[0] is a function');
      expect(() => ssc.parallelize([1], 0)).toThrow('the number of partitions cannot be 0');
      return s;
    });
  });
});

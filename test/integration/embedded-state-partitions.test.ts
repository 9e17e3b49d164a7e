import { describe, expect, it } from '@jest/globals';
import type { DStream } from '@millrace/api';
import { add, type Pair, sorted, useStateApplications } from '../support/use-state-applications.ts';

const withApplication = useStateApplications();

describe('keyed state', () => {
  it('moves when the number of partitions changes, and stays where it is when none is given', async () => {
    await withApplication(
      Array.from({ length: 50 }, (_, n): Pair => [`k${n % 10}`, 1]),
      async (application) => {
        let rows: readonly unknown[] = [];
        let partitions = 0;
        const totals = (count?: number) => (pairs: DStream<Pair>) =>
          pairs
            .updateStateByKey(add, { name: 'totals', ...(count !== undefined && { partitions: count }) })
            .foreachRDD(async (rdd) => {
              rows = await rdd.collect();
              partitions = (await rdd.glom().collect()).length;
            });
        await application.run(totals(4));
        for (const [count, expected] of [
          [1, 1],
          [undefined, 1],
          [7, 7],
          [3, 3],
        ] as const) {
          await application.produce([['k0', 1]]);
          await application.run(totals(count), {}, 2);
          expect([partitions, rows.length]).toEqual([expected, 10]);
        }
        expect(sorted(rows)[0]).toBe('["k0",9]');
        expect(sorted(rows)[1]).toBe('["k1",5]');
      },
    );
  });

  it('moves when the partitioner is another one, and no key is lost to one that gives no partition', async () => {
    await withApplication(
      [
        ['a', 1],
        ['b', 1],
      ],
      async (application) => {
        let rows: readonly unknown[] = [];
        const totals = (partitionOf: (key: string) => number) => (pairs: DStream<Pair>) =>
          pairs
            .updateStateByKey(add, { name: 'totals', partitions: { partitions: 2, partitionOf } })
            .foreachRDD(async (rdd) => {
              rows = await rdd.collect();
            });
        await application.run(totals((key) => (key === 'a' ? 0 : 1)));
        // Written at the same place of the same job.
        await application.produce([['a', 1]]);
        await application.run(totals((key) => (key === 'a' ? 1 : 0)));
        expect(sorted(rows)).toEqual(['["a",2]', '["b",1]']);
        await application.produce([['a', 1]]);
        await expect(application.run(totals((key) => (key === 'a' ? 1 : -1)))).rejects.toMatchObject({
          code: 'USER_CODE',
          what: expect.stringContaining('the partitioner gave -1'),
        });
        await application.run(totals((key) => (key === 'a' ? 1 : 0)));
        expect(sorted(rows)).toEqual(['["a",3]', '["b",1]']);
      },
    );
  });

  it('has keys of all kinds, by content, in more partitions than keys', async () => {
    const texts = ['', 'é', '\ud800'];
    const others = [1n, 2n ** 80n, true, null, undefined, []];
    const keys = (): readonly unknown[] => [
      ...texts,
      ...others,
      0,
      Number.NaN,
      { b: 1, a: 2 },
      new Date(5),
      Buffer.from('x'),
      new Uint8Array(0),
    ];
    const same = (): readonly unknown[] => [
      ...texts,
      ...others,
      -0,
      Number.NaN,
      { a: 2, b: 1 },
      new Date(5),
      Uint8Array.of(120),
      Buffer.alloc(0),
    ];
    await withApplication([], async (application) => {
      const seen: (readonly number[])[] = [];
      await application.run(
        (_, ssc) => {
          const batches = [keys(), same(), keys()];
          ssc
            .queueStream(batches.map((each) => ssc.parallelize(each.map((key) => [key, 1] as const))))
            .updateStateByKey(add, { name: 'totals', partitions: 100 })
            .foreachRDD(async (rdd) => void seen.push((await rdd.collect()).map(([, n]) => n)));
        },
        {},
        3,
      );
      expect(seen).toEqual([1, 2, 3].map((n) => keys().map(() => n)));
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { type DStream, type State, StateSpec } from '@millrace/api';
import {
  add,
  type Pair,
  slidingSums,
  sorted,
  useStateApplications,
} from '../support/use-state-applications.ts';

const withApplication = useStateApplications();

describe('keyed state', () => {
  it('moves on also when no output asks for it, and in windows over it', async () => {
    await withApplication([['a', 1]], async (application) => {
      // Far longer than the window slides: batches may be late.
      const seen: unknown[] = [];
      await application.run(
        (pairs) => {
          pairs.updateStateByKey(add, { name: 'unseen' }).foreachRDD(() => undefined);
          pairs
            .updateStateByKey(add, { name: 'windowed' })
            .window('8s', '80ms')
            .foreachRDD(async (rdd) => void seen.push(await rdd.count()));
        },
        {},
        9,
      );
      expect(Math.max(...(seen as number[]))).toBeGreaterThan(2);
      const later: unknown[] = [];
      await application.run(
        (pairs) => {
          pairs
            .updateStateByKey(add, { name: 'unseen' })
            .foreachRDD(async (rdd) => void later.push(await rdd.collect()));
          pairs
            .updateStateByKey(add, { name: 'windowed' })
            .window('8s', '80ms')
            .foreachRDD(async (rdd) => void (await rdd.count()));
        },
        {},
        9,
      );
      expect(later[0]).toEqual([['a', 1]]);
    });
  });

  it('stands on windows that no other output asks for', async () => {
    await withApplication([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      // All batches have the row.
      const build =
        (isSeen: boolean) =>
        (pairs: DStream<Pair>): void => {
          pairs.foreachRDD(() => undefined);
          const totals = pairs.window('10s').updateStateByKey(add, { name: 'totals' });
          if (isSeen) totals.foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
        };
      await application.run(build(false), {}, 4);
      await application.run(build(true));
      expect(seen).toEqual([['a', 5]]);
    });
  });

  it('below a window is computed once a batch', async () => {
    await withApplication([], async (application) => {
      const calls = new Map<number, number>();
      const spec = StateSpec.function(
        (_: string, value: number | undefined, state: State<number>, time: number) => {
          calls.set(time, (calls.get(time) ?? 0) + 1);
          state.update(value ?? 0);
          return value;
        },
      ).named('counted');
      let rows = 0;
      await application.run(
        (_, ssc) => {
          const row: readonly Pair[] = [['a', 1]];
          ssc
            .queueStream(Array.from({ length: 12 }, () => ssc.parallelize(row)))
            .mapWithState(spec)
            .map((n) => n)
            .window('80ms', '80ms')
            .foreachRDD(async (rdd) => {
              rows += await rdd.count();
            });
        },
        {},
        12,
      );
      expect(rows).toBeGreaterThan(4);
      expect([...calls.values()]).toEqual(Array.from({ length: 12 }, () => 1));
    });
  });

  it('of a window goes on after a gap that is longer than the window', async () => {
    await withApplication([['a', 1]], async (application) => {
      const sums = (pairs: DStream<Pair>): void => slidingSums(pairs, 'sums').foreachRDD(() => undefined);
      await application.run(sums);
      const [before] = application.files;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await application.produce([['b', 1]]);
      await application.run(sums);
      expect(application.files).toHaveLength(1);
      expect(application.files[0]).not.toBe(before);
    });
  });

  it('of a window with an inverse is what the window has without, over restarts, gaps and other partition counts', async () => {
    await withApplication([], async (application) => {
      const seen: string[][] = [];
      const build = (partitions: number) => (pairs: DStream<Pair>) => {
        const sum = (a: number, b: number): number => a + b;
        const minus = (a: number, b: number): number => a - b;
        let plain: string[] = [];
        pairs.reduceByKeyAndWindow(sum, '120ms', '40ms').foreachRDD(async (rdd) => {
          plain = sorted(await rdd.collect());
        });
        pairs
          .reduceByKeyAndWindow(sum, minus, '120ms', '40ms', { name: 'sums', partitions })
          .foreachRDD(async (rdd) => void seen.push(plain, sorted(await rdd.collect())));
      };
      for (const [life, partitions] of [2, 2, 3, 1, 1].entries()) {
        const running = application.run(build(partitions), {}, 10);
        for (let n = 0; n < 15; n++) await application.produce([[`k${(n * life) % 7}`, n]]);
        await running;
        if (life === 3) await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(seen.filter((_, index) => index % 2 === 1)).toEqual(seen.filter((_, index) => index % 2 === 0));
      expect(seen.some((rows) => rows.length > 1)).toBe(true);
    });
  });
});

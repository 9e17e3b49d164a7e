import { describe, expect, it } from '@jest/globals';
import { type DStream, defineJob, type State, StateSpec, type StreamingContext } from '@millrace/api';
import { type MillraceError, problemsOf } from '@millrace/common';
import { embed } from '@millrace/local';
import {
  add,
  type Pair,
  slidingSums,
  sorted,
  useStateApplications,
} from '../support/use-state-applications.ts';

const withApplication = useStateApplications();

describe('keyed state from run to run', () => {
  it('begins with the initial state once, and never again', async () => {
    await withApplication([['a', 1]], async (application) => {
      const seen: string[][] = [];
      const build = (pairs: DStream<Pair>, ssc: StreamingContext): void => {
        const initial = ssc.parallelize<[string, number]>(
          [
            ['a', 10],
            ['b', 20],
          ],
          2,
        );
        pairs
          .updateStateByKey(add, { name: 'totals', partitions: 2, initialState: initial })
          .foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
        const counted = pairs.mapWithState(
          StateSpec.function((key: string, value: number | undefined, state: State<number>) => {
            state.update((state.getOption() ?? 0) + (value ?? 0));
            return [key, state.get()] as const;
          })
            .named('counted')
            .initialState(() => initial.map(([key, n]) => [key, n])),
        );
        counted.foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
        counted.stateSnapshots().foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
      };
      await application.run(build);
      const first = ['["a",11]', '["b",20]'];
      expect(seen.splice(0)).toEqual([first, ['["a",11]'], first]);
      await application.run(build);
      expect(seen.splice(0)).toEqual([first, [], first]);
    });
  });

  it('goes through migrate when its version is another one, once; without it the job is refused', async () => {
    await withApplication([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      await application.run((pairs) =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined),
      );
      const second = (migrates: boolean) => (pairs: DStream<Pair>) =>
        pairs
          .updateStateByKey<string, number, { readonly sum: number }>(
            (values, total) => ({ sum: add(values, total?.sum) }),
            {
              name: 'totals',
              version: 1,
              ...(migrates && {
                migrate: (state: unknown, version: number) => ({ sum: (state as number) * 100 + version }),
              }),
            },
          )
          .foreachRDD(async (rdd) => void seen.push(await rdd.collect()));
      await expect(application.run(second(false))).rejects.toMatchObject({ code: 'STATE_VERSION' });
      await application.run(second(true), {}, 3);
      await application.run(second(true));
      expect(seen).toEqual(Array.from({ length: 4 }, () => [['a', { sum: 100 }]]));
    });
  });

  it('is kept when its operator has another name, and dropped when that is asked for', async () => {
    await withApplication([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      const named = (name: string) => (pairs: DStream<Pair>) =>
        pairs
          .updateStateByKey(add, { name })
          .foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
      await application.run(named('old'));
      await application.produce([['a', 5]]);
      await application.run(named('new'));
      expect(application.notices.filter((text) => text.includes('"old"'))).toHaveLength(1);
      await application.run(named('old'));
      expect(seen.splice(0)).toEqual([
        ['a', 1],
        ['a', 5],
        ['a', 1],
      ]);
      await expect(application.run(named('old'), { dropState: ['old'] })).rejects.toMatchObject({
        code: 'JOB_INVALID',
      });
      await application.run(named('new'), { dropState: ['old'] });
      await application.run(named('new'), { dropState: ['old'] });
      seen.splice(0);
      await application.run(named('old'));
      expect(seen).toEqual([]);
    });
  });

  it('is remembered as it was, for slice()', async () => {
    await withApplication([], async (application) => {
      const seen: unknown[] = [];
      const times: number[] = [];
      const count = StateSpec.function((_: string, value: number | undefined, state: State<number>) => {
        state.update((state.getOption() ?? 0) + (value ?? 0));
        return state.get();
      }).named('counts');
      await application.run(
        (_, ssc) => {
          ssc.remember('20s');
          const row: readonly Pair[] = [['a', 1]];
          const ones = ssc.queueStream(Array.from({ length: 5 }, () => ssc.parallelize(row)));
          const totals = ones.updateStateByKey(add, { name: 'totals' }).values();
          const counts = ones.mapWithState(count);
          const snapshots = counts.stateSnapshots().values();
          totals.foreachRDD(async (__, time) => {
            times.push(time);
            for (const stream of times.length < 5 ? [] : [totals, counts, snapshots]) {
              const rdds = await stream.slice(times[0] ?? 0, time);
              seen.push(await Promise.all(rdds.map((rdd) => rdd.collect())));
            }
          });
        },
        {},
        5,
      );
      expect(seen).toEqual([1, 2, 3].map(() => [[1], [2], [3], [4], [5]]));
      const late = application.run((pairs) => {
        const counts = pairs.mapWithState(count);
        counts.foreachRDD(() => void counts.stateSnapshots());
      });
      await expect(late).rejects.toMatchObject({ code: 'JOB_INVALID' });
    });
  });

  it('of updateStateByKey is not taken for that of a window', async () => {
    await withApplication([['a', 1]], async (application) => {
      await application.run((pairs) =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined),
      );
      const window = (pairs: DStream<Pair>): void => slidingSums(pairs, 'totals').foreachRDD(() => undefined);
      await expect(application.run(window)).rejects.toMatchObject({
        code: 'STATE_VERSION',
        what: expect.stringContaining('is that of updateStateByKey'),
      });
    });
  });

  it('needs a directory', async () => {
    const job = defineJob({ name: 'app', batchInterval: '20ms' }, (ssc) => {
      const pairs = ssc.queueStream([ssc.parallelize([['a', 1] as const])]);
      pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined);
      pairs
        .reduceByKeyAndWindow(
          (a, b) => a + b,
          (a, b) => a - b,
          '40ms',
          '20ms',
          { name: 'window' },
        )
        .foreachRDD(() => undefined);
    });
    const refused = await embed(job)
      .then((application) => application.start())
      .catch((thrown: unknown) => thrown);
    expect(problemsOf(refused as MillraceError)).toMatchObject(
      ['"totals" keeps state', '"window" keeps state'].map((what) => ({
        code: 'STATE_STORE_MISSING',
        what: expect.stringContaining(what),
        remedy: expect.stringContaining('stateDir'),
        details: { place: expect.stringMatching(/embedded-state\.test\.ts:\d+/) },
      })),
    );
  });

  it('needs a name of its own, a time-out and partitions that can be, and a function that is not async', async () => {
    await withApplication([['a', 1]], async (application) => {
      const mistakes = (pairs: DStream<Pair>): void => {
        const spec = StateSpec.function((_: string, value: number | undefined) => value);
        pairs.updateStateByKey(add, { name: 'same' }).foreachRDD(() => undefined);
        pairs.mapWithState(spec.named('same')).foreachRDD(() => undefined);
        pairs.updateStateByKey(add, {} as never).foreachRDD(() => undefined);
        pairs.mapWithState(spec as never).foreachRDD(() => undefined);
        pairs.mapWithState(spec.named('t').timeout(0)).foreachRDD(() => undefined);
        pairs.updateStateByKey(add, { name: 'p', partitions: 0 }).foreachRDD(() => undefined);
        pairs.updateStateByKey(async () => 1, { name: 'async' }).foreachRDD(() => undefined);
      };
      const error = await application.run(mistakes).catch((thrown: unknown) => thrown);
      const text = String(error);
      for (const part of [
        'there is state named "same" already',
        'updateStateByKey() has no name',
        'mapWithState() has no name',
        'the timeout is 0',
        'the number of partitions cannot be 0',
        'returned a Promise',
      ])
        expect(text).toContain(part);
    });
  });

  it('of mapWithState is not read before it is there, nor set when it is gone, nor to what cannot be kept', async () => {
    await withApplication([['a', 1]], async (application) => {
      const misuse = (use: (state: State<unknown>) => unknown) => (pairs: DStream<Pair>) =>
        pairs
          .mapWithState(
            StateSpec.function((_: string, _value: number | undefined, state: State<unknown>) =>
              use(state),
            ).named('m'),
          )
          .foreachRDD(() => undefined);
      for (const use of [
        (state: State<unknown>) => state.get(),
        (state: State<unknown>) => {
          state.remove();
          state.update(1);
        },
        (state: State<unknown>) => state.update(undefined),
      ])
        await expect(application.run(misuse(use))).rejects.toMatchObject({ code: 'STATE_MISUSED' });
      class Foo {
        readonly n = 1;
      }
      await expect(application.run(misuse((state) => state.update(new Foo())))).rejects.toMatchObject({
        code: 'USER_CODE',
        message: expect.stringContaining('Foo'),
      });
    });
  });
});

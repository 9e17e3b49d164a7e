import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { DStream } from '../dstream.ts';
import type { PersistedNode, RddNode } from '../lineage/rdd-node.ts';
import { unordered } from '../testing/datasets.ts';
import { INTERVAL_MS, type Keyed, StreamRun } from '../testing/stream-run.ts';
import { anyBatches, WINDOW_OPERATORS, type WindowOperator, windowsOf } from '../testing/window-model.ts';

const add = (a: number, b: number): number => a + b;
const untyped = (value: unknown): never => value as never;

/** 1 in each batch: what a window sums up to is how many batches it has. */
const ONE: readonly Keyed[] = [['n', 1]];

function nodesOf(node: RddNode): readonly RddNode[] {
  const parents = 'parents' in node ? node.parents : 'parent' in node ? [node.parent] : [];
  return [node, ...parents.flatMap((parent) => nodesOf(parent))];
}

function persistedOf(node: RddNode | undefined): readonly PersistedNode[] {
  return node ? nodesOf(node).filter((each) => each.kind === 'persisted') : [];
}

/** Sums of the windows of `build` at each batch time, in tenths: [10, 20] are the batches of 1000 ms and 2000 ms. */
async function sumsOf(
  times: readonly number[],
  build: (stream: DStream<number>) => DStream<unknown>,
): Promise<Record<number, unknown>> {
  const run = await StreamRun.of((s) => build(s.values()));
  for (const time of times) await run.batch(time * INTERVAL_MS, ONE);
  return Object.fromEntries([...run.seen].map(([time, rows]) => [time / INTERVAL_MS, rows]));
}

describe('a sample', () => {
  const rows = Array.from({ length: 200 }, (_, n): Keyed => ['n', n]);

  it('has other rows in each batch, and in windows those that its batch had, also after a restart', async () => {
    const batch = await StreamRun.of((s) => s.values().sample(false, 0.5));
    const window = await StreamRun.of((s) =>
      s
        .values()
        .sample(false, 0.5)
        .window(3 * INTERVAL_MS),
    );
    for (const time of [100, 200, 300]) {
      await batch.batch(time, rows);
      await window.batch(time, rows);
      window.restart();
    }
    const batches = [100, 200, 300].map((time) => batch.seen.get(time) as number[]);
    for (const [index, sample] of batches.entries()) {
      expect(sample.length).toBeGreaterThan(60);
      expect(sample.length).toBeLessThan(140);
      for (const other of batches.slice(0, index)) expect(sample).not.toEqual(other);
    }
    expect(unordered(window.seen.get(300) ?? [])).toEqual(unordered(batches.flat()));
  });

  it('of an RDD follows from its ranges, and a sample of a sample is another draw', async () => {
    const run = await StreamRun.of((s) =>
      s.values().transform((rdd) => rdd.sample(false, 0.5).union(rdd.sample(false, 0.5).sample(false, 0.5))),
    );
    await run.batch(100, rows);
    await run.batch(200, rows);
    const [first, second] = [100, 200].map((time) => run.seen.get(time) as number[]) as [number[], number[]];
    expect(first).not.toEqual(second);
    expect(first.length).toBeGreaterThan(110);
    expect(first.length).toBeLessThan(190);
  });
});

describe('operators over windows', () => {
  it.each(Object.keys(WINDOW_OPERATORS))(
    '%s gives what plain arrays give, with late batches and restarts',
    async (name) => {
      const { on, model } = WINDOW_OPERATORS[name] as WindowOperator;
      await fc.assert(
        fc.asyncProperty(
          anyBatches(),
          fc.integer({ min: 1, max: 6 }).map((n) => n * INTERVAL_MS),
          fc.integer({ min: 1, max: 5 }).map((n) => n * INTERVAL_MS),
          fc.constantFrom(undefined, 1, 3),
          async (batches, d, slide, n) => {
            const run = await StreamRun.of((s) => on(s, d, slide, n));
            for (const { time, rows, partitions, restarts } of batches) {
              if (restarts) run.restart();
              await run.batch(time, rows, partitions);
            }
            const shown = (of: ReadonlyMap<number, readonly unknown[]>) =>
              [...of].map(([at, rows]) => [at, unordered(rows)] as const);
            const windows = [...windowsOf(batches, d, slide)].map(([at, rows]) => [at, model(rows)] as const);
            expect(shown(run.seen)).toEqual(shown(new Map(windows)));
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it('slide with the batches when no slide is given', async () => {
    expect(await sumsOf([10, 11, 12, 13], (s) => s.reduceByWindow(add, '200ms'))).toEqual({
      10: [1],
      11: [2],
      12: [2],
      13: [2],
    });
  });

  it('leave batches out when the slide is longer than the window', async () => {
    expect(await sumsOf([10, 11, 12, 13, 14], (s) => s.reduceByWindow(add, 100, 200))).toEqual({
      10: [1],
      12: [1],
      14: [1],
    });
  });

  it('fire once in a batch that covers several slides, and no batch is missed or counted twice', async () => {
    // 24 covers (19, 24]: its window is the one that ends at 20, and 24 is in the next.
    const times = [11, 12, 13, 14, 15, 16, 17, 18, 19, 24, 25, 26, 27, 28, 29, 30];
    expect(await sumsOf(times, (s) => s.reduceByWindow(add, 1000, 1000))).toEqual({ 24: [9], 30: [7] });
    expect(await sumsOf([10, 35, 40], (s) => s.countByWindow(1000, 1000))).toEqual({
      10: [1],
      35: [0],
      40: [2],
    });
  });

  it('stand on one another', async () => {
    const times = Array.from({ length: 21 }, (_, i) => 10 + i);
    const nested = await sumsOf(times, (s) => s.reduceByWindow(add, 200, 200).reduceByWindow(add, 600, 400));
    expect(nested).toEqual({ 12: [3], 16: [6], 20: [6], 24: [6], 28: [6] });
    // Late batches: the inner windows of 13 and 17 end at 12 and 16, and the one that ends at 14, with 13 in it, is never computed.
    expect(await sumsOf([11, 13, 17, 18, 20], (s) => s.window(200, 200).countByWindow(400, 400))).toEqual({
      13: [1],
      17: [0],
      20: [3],
    });
  });

  it('with an inverse begin anew when another program made what was kept of them', async () => {
    let factor = 1;
    const run = await StreamRun.of((s) =>
      s
        .mapValues((value) => value * factor)
        .reduceByKeyAndWindow(add, (a, b) => a - b, 300, 100, { name: 'sums' }),
    );
    for (const time of [1000, 1100, 1200]) await run.batch(time, ONE);
    run.restart();
    await run.batch(1300, ONE);
    factor = 10;
    run.restart('p2');
    for (const time of [1400, 1500]) await run.batch(time, ONE);
    expect([...run.seen].map(([time, [row]]) => [time, ...(row as Keyed)])).toEqual([
      ...[1, 2, 3, 3].map((sum, index) => [1000 + index * 100, 'n', sum]),
      [1400, 'n', 30],
      [1500, 'n', 30],
    ]);
  });

  it('compute transform once a batch, in the order of time, when the window wants it', async () => {
    const times: number[] = [];
    const run = await StreamRun.of((s) => {
      const noted = s.transform((rdd, time) => {
        times.push(time);
        return rdd;
      });
      return noted.window(400, 200).union(noted.window(400, 200));
    });
    for (const time of [1000, 1100, 1200, 1300, 1400]) await run.batch(time, ONE);
    expect(times).toEqual([1000, 1100, 1200, 1300, 1400]);
    expect([...run.seen.keys()]).toEqual([1000, 1200, 1400]);
  });
});

describe('what windows read again', () => {
  it('is persisted, moves once, and is released when it is in no window any more', async () => {
    const run = await StreamRun.of((s) => s.reduceByKeyAndWindow(add, 300));
    const made = new Set<PersistedNode>();
    for (let time = 1000; time <= 2000; time += 100) {
      await run.batch(time, ONE);
      const kept = persistedOf(run.last?.node);
      for (const node of kept) made.add(node);
      const moves = nodesOf(run.last?.node as RddNode).filter(({ kind }) => kind === 'shuffle');
      expect([kept.length, moves.length]).toEqual([Math.min(run.seen.size, 3), kept.length]);
      expect(made.size - run.released.size).toBe(Math.min(2, run.seen.size));
    }
    expect(made.size).toBe(11);
    expect(run.seen.get(2000)).toEqual([['n', 3]]);
  });

  it('is not persisted when it is read once', async () => {
    const run = await StreamRun.of((s) => s.reduceByKeyAndWindow(add, 200, 200));
    for (const time of [1000, 1100, 1200]) await run.batch(time, ONE);
    expect(persistedOf(run.last?.node)).toEqual([]);
    expect(run.seen.get(1200)).toEqual([['n', 2]]);
  });

  it('is shuffled once more when its batches are partitioned differently', async () => {
    const run = await StreamRun.of((s) => s.reduceByKeyAndWindow(add, 200));
    await run.batch(1000, ONE, 2);
    await run.batch(1100, ONE, 3);
    expect(nodesOf(run.last?.node as RddNode).map(({ kind }) => kind)).toContain('union');
    expect([run.last?.partitions, run.seen.get(1100)]).toEqual([3, [['n', 2]]]);
  });

  it('is what left and what entered, when the window is made from the one before', async () => {
    const run = await StreamRun.of((s) =>
      s.reduceByKeyAndWindow(add, (a, b) => a - b, 300, 100, { name: 'sums' }),
    );
    const moves: unknown[] = [];
    for (const time of [1000, 1100, 1200, 1300, 1400, 2000]) {
      await run.batch(time, ONE);
      const state = nodesOf(run.last?.node as RddNode).find((node) => node.kind === 'stateful');
      if (state?.kind !== 'stateful' || state.parent.kind !== 'merge') throw new Error('no state');
      const { left = 0, kept } = state.call;
      moves.push([left, state.parent.parents.length - left, kept !== undefined]);
    }
    // The first one, and the one that has nothing of the window before, begin anew.
    expect(moves).toEqual([
      [0, 1, false],
      [0, 1, true],
      [0, 1, true],
      [1, 1, true],
      [1, 1, true],
      [0, 1, false],
    ]);
    expect([...run.seen.values()]).toEqual([1, 2, 3, 3, 3, 1].map((n) => [['n', n]]));
  });

  it('of a persisted stream is what persist() says, released when the batch is over', async () => {
    const run = await StreamRun.of((s) => s.map((row) => row).persist('MEMORY_ONLY'));
    const made: PersistedNode[] = [];
    for (const time of [1000, 1100]) {
      await run.batch(time, ONE);
      made.push(...persistedOf(run.last?.node));
    }
    expect(made.map(({ level }) => level)).toEqual(['MEMORY_ONLY', 'MEMORY_ONLY']);
    expect([...run.released]).toEqual(made);
  });
});

describe('slice', () => {
  const sliced = async (remembered: string | undefined, back: number) => {
    const found: (readonly number[])[] = [];
    const run = await StreamRun.of((s, ssc) => {
      if (remembered !== undefined) ssc.remember(untyped(remembered));
      const values = s.values();
      return s.transform(async (rdd, time) => {
        const rdds = await values.slice(time - back, time);
        found.push((await Promise.all(rdds.map((one) => one.collect()))).flat());
        return rdd;
      });
    });
    for (const [index, time] of [1000, 1100, 1200, 1300].entries()) await run.batch(time, [['n', index]]);
    return found;
  };

  it('gives the RDDs of earlier batches that are remembered', async () => {
    expect(await sliced('200ms', 200)).toEqual([[0], [0, 1], [0, 1, 2], [1, 2, 3]]);
  });

  it('says so when they are forgotten', async () => {
    await expect(sliced(undefined, 200)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      remedy: expect.stringContaining('ssc.remember'),
    });
    await expect(sliced('100ms', 200)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(await sliced(undefined, 0)).toEqual([[0], [1], [2], [3]]);
  });
});

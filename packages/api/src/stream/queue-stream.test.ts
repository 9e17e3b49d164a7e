import { describe, expect, it } from '@jest/globals';
import type { RDD } from '../rdd.ts';
import { INTERVAL_MS, StreamRun } from '../testing/stream-run.ts';
import type { QueueOptions } from './queue-stream.ts';

/** What each of four batches has; `later` is pushed before the third. */
async function batchesOf(
  options: (parallelize: (rows: readonly number[]) => RDD<number>) => QueueOptions<number>,
): Promise<readonly (readonly unknown[])[]> {
  const queue: RDD<number>[] = [];
  let push = (_rows: readonly number[]): void => undefined;
  const run = await StreamRun.of((_, ssc) => {
    const parallelize = (rows: readonly number[]) => ssc.parallelize(rows);
    push = (rows) => void queue.push(parallelize(rows));
    return ssc.queueStream(queue, options(parallelize));
  });
  push([1, 2]);
  push([3]);
  for (const time of [10, 11, 12, 13]) {
    if (time === 12) push([4]);
    await run.batch(time * INTERVAL_MS, []);
  }
  return [...run.seen.values()];
}

describe('a stream of queued RDDs', () => {
  it('gives one a batch, then none', async () => {
    expect(await batchesOf(() => ({}))).toEqual([[1, 2], [3], [4], []]);
  });

  it('gives all that are there at once when it is asked to', async () => {
    expect(await batchesOf(() => ({ oneAtATime: false }))).toEqual([[1, 2, 3], [], [4], []]);
  });

  it('gives the default when the queue is empty', async () => {
    const made = await batchesOf((parallelize) => ({ defaultRDD: parallelize([0]), oneAtATime: false }));
    expect(made).toEqual([[1, 2, 3], [0], [4], [0]]);
  });

  it('is taken from once a batch, also when windows slide slower', async () => {
    const queue: RDD<number>[] = [];
    const run = await StreamRun.of((_, ssc) => {
      for (let i = 0; i < 6; i++) queue.push(ssc.parallelize([i]));
      return ssc.queueStream(queue).window(300, 200);
    });
    for (let time = 1000; time <= 1400; time += INTERVAL_MS) await run.batch(time, []);
    expect([...run.seen]).toEqual([
      [1000, [0]],
      [1200, [0, 1, 2]],
      [1400, [2, 3, 4]],
    ]);
    expect(queue).toHaveLength(1);
  });

  it('says so when something else is in the queue', async () => {
    const run = await StreamRun.of((_, ssc) => ssc.queueStream([5 as never]));
    await expect(run.batch(1000, [])).rejects.toMatchObject({ code: 'JOB_INVALID' });
  });
});

import { describe, expect, it } from '@jest/globals';
import { StateSpec } from '../state/state-spec.ts';
import { fakeRunner } from '../testing/fake-runner.ts';
import { type Build, evaluated } from '../testing/stream-batch.ts';

const add = (a: number, b: number): number => a + b;
const untyped = (value: unknown): never => value as never;

/** What is said of the mistakes in a job; it names the place of each. */
async function mistakesIn(build: Build): Promise<readonly string[]> {
  const internals = await evaluated(build);
  const problems = internals.graph.finish(fakeRunner().ship);
  for (const { details } of problems) expect(details['place']).toMatch(/\.[jt]s:\d+:\d+$/);
  return problems.map(({ what }) => what);
}

describe('mistakes with windows', () => {
  it('are all found while the job is built, with their place', async () => {
    const mistakes = await mistakesIn((s, other, ssc) => {
      s.window(1500);
      s.countByWindow('2s', '100ms');
      s.reduceByKeyAndWindow(add, 0, -1);
      s.groupByKeyAndWindow(untyped('soon'));
      s.reduceByWindow((a) => a, '3s').window('3s', '2s');
      s.window('4s', '2s').window('3s');
      s.window('4s', '2s').join(other);
      s.union(s.window('4s', '2s'));
      s.transformWith(other.window('3s', '3s'), (rdd) => rdd);
      s.reduceByKeyAndWindow(add, add, '2s', undefined, untyped({}));
      s.values().reduceByWindow(
        add,
        untyped(async () => 1),
        '2s',
        undefined,
        { name: 'x' },
      );
      ssc.remember(untyped('ever'));
      ssc.queueStream(untyped(undefined));
      ssc.queueStream([], { defaultRDD: untyped(5) });
      return s;
    });
    expect(mistakes).toEqual([
      'window: a window of 1500 ms is not a multiple of 1000 ms, how often the stream has an RDD',
      'countByWindow: a slide of 100 ms is not a multiple of 1000 ms, how often the stream has an RDD',
      'reduceByKeyAndWindow: a window of 0 ms is not a multiple of 1000 ms, how often the stream has an RDD',
      '"-1" is not a duration',
      '"soon" is not a duration',
      'window: a window of 3000 ms is not a multiple of 2000 ms, how often the stream has an RDD',
      'join() of streams that slide differently: one every 2000 ms, the other every 1000 ms',
      'union() of streams that slide differently: one every 1000 ms, the other every 2000 ms',
      'transformWith() of streams that slide differently: one every 1000 ms, the other every 3000 ms',
      'reduceByKeyAndWindow() has no name',
      expect.stringMatching(/the function of reduceByWindow\(\) at .* returned a Promise/),
      '"ever" is not a duration',
      'queueStream() was given no array of RDDs',
      'the defaultRDD of queueStream() is no RDD',
    ]);
  });
});

describe('mistakes with state', () => {
  it('are told once each', async () => {
    const count = (_key: string, value: number | undefined): number | undefined => value;
    const mistakes = await mistakesIn((s) => {
      s.mapWithState(untyped(StateSpec.function(count)));
      s.mapWithState(untyped(StateSpec.function(count)));
      s.updateStateByKey((values) => values, untyped(undefined));
      s.updateStateByKey((values) => values, { name: ' ' });
      s.updateStateByKey((values) => values, { name: 'same' });
      s.mapWithState(StateSpec.function(count).named('same'));
      return s;
    });
    expect(mistakes).toEqual([
      'mapWithState() has no name',
      'mapWithState() has no name',
      'updateStateByKey() has no name',
      'updateStateByKey() has no name',
      'mapWithState(): there is state named "same" already',
    ]);
    await expect(evaluated((s) => s.mapWithState(untyped(count)))).rejects.toMatchObject({
      code: 'JOB_INVALID',
      what: 'mapWithState() needs a StateSpec, got function',
    });
  });
});

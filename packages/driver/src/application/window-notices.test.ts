import { describe, expect, it } from '@jest/globals';
import type { OffsetRange, StreamingContext } from '@millrace/api';
import { type World, world } from '../../test/world.ts';
import { readLog } from './log/log-reader.ts';
import { pump, settle } from './testing/pump.ts';
import { createEngine, type RunningEngine, stream } from './testing/run-engine.ts';

type Build = (ssc: StreamingContext) => void;

async function start(setup: World): Promise<RunningEngine> {
  const running = await createEngine(setup);
  await pump(setup.clock, running.engine.validate());
  await pump(setup.clock, running.engine.start());
  return running;
}

const noticesOf = ({ events }: RunningEngine): string[] =>
  events.flatMap((event) => (event.kind === 'notice' ? [event.text] : []));

/** Runs so many batches, and stops in peace. */
async function batches(setup: World, build: Build, count: number): Promise<RunningEngine> {
  const running = await start({ ...setup, build, config: { batches: count } });
  expect(await pump(setup.clock, running.engine.done)).toBeUndefined();
  return running;
}

/** What the windows were made of: the number of their batches. */
function windowsOf(duration: number, slide: number, seen: number[]): Build {
  return (ssc) => {
    const note = (ranges: readonly OffsetRange[]): void => void seen.push(ranges.length / 2);
    stream(ssc, 'views')
      .window(duration, slide)
      .foreachRDD((rdd) => note(rdd.offsetRanges));
  };
}

describe('an application with windows', () => {
  it('has the windows after a restart that it has without, and says nothing', async () => {
    const seen: number[] = [];
    const setup = world(() => undefined);
    await batches(setup, windowsOf(300, 100, seen), 4);
    const { events } = await batches(setup, windowsOf(300, 100, seen), 2);
    expect(seen).toEqual([1, 2, 3, 3, 3, 3]);
    expect(events.filter(({ kind }) => kind === 'notice')).toEqual([]);
  });

  it('tells of windows that the log does not reach back to', async () => {
    const seen: number[] = [];
    const setup = world(() => undefined);
    await batches(setup, windowsOf(100, 100, seen), 6);
    // The log is one segment: it still has all batches since its last start.
    const longer = await batches(setup, windowsOf(400, 100, seen), 1);
    expect([seen.at(-1), noticesOf(longer)]).toEqual([4, []]);
    const longest = await batches(setup, windowsOf(1000, 100, seen), 1);
    expect(seen.at(-1)).toBe(6);
    expect(noticesOf(longest)).toEqual([
      expect.stringMatching(/windows reach back 1000 ms, and the log does not have the batches until/),
    ]);
  });

  it('counts windows that were due while it did not run, and emits one', async () => {
    const seen: number[] = [];
    const setup = world(() => undefined);
    await batches(setup, windowsOf(200, 200, seen), 4);
    const before = seen.length;
    setup.clock.advance(1_000);
    const running = await batches(setup, windowsOf(200, 200, seen), 1);
    expect(seen.length - before).toBe(1);
    expect(noticesOf(running)).toEqual([
      expect.stringMatching(/^\d windows that ended before batch .* are left out/),
    ]);
  });

  it('runs a planned batch again with the same windows, whatever their new length', async () => {
    const seen: number[] = [];
    const setup = world(() => undefined);
    await batches(setup, windowsOf(200, 100, seen), 3);
    const before = seen.length;
    const hanging = await start({
      ...setup,
      build: (ssc) =>
        stream(ssc, 'views')
          .window(200)
          .foreachRDD((rdd) => {
            seen.push(rdd.offsetRanges.length / 2);
            return new Promise(() => undefined);
          }),
    });
    for (let step = 0; seen.length === before && step < 100; step++) {
      setup.clock.advance(10);
      await settle();
    }
    hanging.engine.stop({ mode: 'now' });
    await pump(setup.clock, hanging.engine.done);
    expect(readLog(setup.files).state.pending).toBeDefined();
    await batches({ ...setup, programHash: 'p2' }, windowsOf(200, 100, seen), 1);
    expect(seen).toEqual([1, 2, 2, 2, 2]);
  });

  it('does not prefetch what no window of the batch reads', async () => {
    const setup = world(() => undefined);
    const running = await createEngine({ ...setup, build: windowsOf(400, 400, []), config: { batches: 8 } });
    let prefetched = 0;
    running.backend.prefetch = () => void prefetched++;
    await pump(setup.clock, running.engine.validate());
    await pump(setup.clock, running.engine.start());
    // The first batch has records, and no window slides in it.
    await pump(setup.clock, running.engine.done);
    expect(prefetched).toBeLessThan(2);
  });

  it('forgets batches that no window reaches back to', async () => {
    const setup = world(() => undefined);
    const { engine } = await batches(setup, windowsOf(300, 100, []), 20);
    expect(engine.state).toBe('ENDED');
    expect(readLog(setup.files).state.history.batches).toHaveLength(3);
  });
});

describe('an application with a queue', () => {
  const build: Build = (ssc) =>
    ssc.queueStream([ssc.parallelize([1])]).foreachRDD(async (rdd) => void (await rdd.count()));

  it('runs once, and is refused when it would go on', async () => {
    const setup = world(() => undefined);
    await batches(setup, build, 2);
    const again = await createEngine({ ...setup, build });
    await expect(pump(setup.clock, again.engine.validate())).rejects.toMatchObject({
      code: 'JOB_INVALID',
      remedy: expect.stringContaining('--start-anew'),
    });
    const anew = await createEngine({ ...setup, build });
    await pump(setup.clock, anew.engine.validate({ anew: true }));
    anew.engine.stop({ mode: 'now' });
  });
});

// What another run of an application makes of what the one before has left.
import { describe, expect, it } from '@jest/globals';
import { batches, completed, start } from '../../test/run-application.ts';
import { world } from '../../test/world.ts';
import { readLog } from './log/log-reader.ts';
import { pump, settle } from './testing/pump.ts';
import { countTask, stream } from './testing/run-engine.ts';

describe('an application', () => {
  it('runs an uncommitted batch again, with the same offsets and batch time, and says so', async () => {
    const seen: [number, string][] = [];
    const setup = world((ssc) =>
      stream(ssc, 'views', { maxRecordsPerBatch: 60 }).foreachRDD(async (rdd, time) => {
        seen.push([
          time,
          rdd.offsetRanges.map((range) => `${range.fromOffset}-${range.untilOffset}`).join(' '),
        ]);
        await rdd.count();
      }),
    );
    const first = await start({
      ...setup,
      perform: (set, task) => (seen.length < 2 ? countTask(set, task) : new Promise(() => undefined)),
    });
    await completed(setup, first, 1);
    setup.clock.advance(100);
    await settle();
    expect(seen).toHaveLength(2);
    // Killed here: the engine is forgotten, what is on the disk stays.
    const files = setup.files.copy();
    setup.kafka.produce('views', 1, 1_000);
    setup.clock.advance(3_600_000);
    const second = await start({ ...setup, files, programHash: 'another' });
    await completed(setup, second, 2);
    expect(seen[2]).toEqual(seen[1]);
    expect(seen[3]?.[0]).toBeGreaterThanOrEqual((seen[1]?.[0] ?? 0) + 3_600_000 - 100);
    expect(batches(second.events)[1]?.coalescedIntervals).toBeGreaterThan(35_000);
    const texts = second.events.flatMap((event) => (event.kind === 'notice' ? [event.text] : []));
    expect(texts.join()).toMatch(/runs again with the same offsets.*another program/);
    expect(
      readLog(files)
        .batches.map(({ committed }) => committed?.epoch)
        .slice(0, 3),
    ).toEqual([1, 2, 2]);
  });

  it('ends with the planned batch when it is only to finish that, also when there is none', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const first = await start({ ...setup, perform: () => new Promise(() => undefined) });
    setup.clock.advance(200);
    await settle();
    first.engine.stop({ mode: 'now' });
    await pump(setup.clock, first.engine.done);
    for (const finished of [1, 0]) {
      const { engine, events } = await start({ ...setup, onlyPending: true });
      expect(await pump(setup.clock, engine.done)).toBeUndefined();
      expect(batches(events)).toHaveLength(finished);
      // Nobody is told what the old program reads and writes.
      expect(events[0]).toEqual({ kind: 'running', notes: [] });
    }
    const { batches: logged, state } = readLog(setup.files);
    expect([logged.length, state.pending]).toEqual([1, undefined]);
  });

  it('plans with the settings of its program, and says when they are others', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const first = await start({ ...setup, settings: 'a', perform: () => new Promise(() => undefined) });
    setup.clock.advance(200);
    await settle();
    first.engine.stop({ mode: 'now' });
    await pump(setup.clock, first.engine.done);
    const files = setup.files.copy();
    expect(readLog(files).state.pending).toMatchObject({ settings: 'a' });
    const warnings = async (settings: string, copy: typeof files): Promise<readonly string[]> => {
      const { engine, events } = await start({ ...setup, files: copy, settings, onlyPending: true });
      await pump(setup.clock, engine.done);
      return events.flatMap((event) =>
        event.kind === 'notice' && event.level === 'warn' ? [event.text] : [],
      );
    };
    expect(await warnings('a', setup.files)).toEqual([]);
    expect(await warnings('b', files)).toEqual([expect.stringContaining('other settings')]);
  });

  it('is fenced by a newer run of the same application', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const old = await start(setup);
    await completed(setup, old, 2);
    const newer = await start(setup);
    expect(await pump(setup.clock, old.engine.done)).toMatchObject({ code: 'FENCED' });
    await completed(setup, newer, 2);
    const epochs = readLog(setup.files).batches.map(({ planned }) => planned.epoch);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  });
});

describe('an application whose topic has lost records', () => {
  it('logs what it skips before the batch behind it, and starts again from there', async () => {
    const setup = world(
      (ssc) =>
        stream(ssc, 'views', { failOnDataLoss: false }).foreachRDD(async (rdd) => void (await rdd.count())),
      { config: { batches: 1 } },
    );
    const first = await start(setup);
    await pump(setup.clock, first.engine.done);
    setup.kafka.produce('views', 0, 50);
    setup.kafka.partition('views', 0).earliest = 120;
    const second = await start(setup);
    expect(await pump(setup.clock, second.engine.done)).toBeUndefined();
    const { batches: logged, moves } = readLog(setup.files);
    expect(moves).toMatchObject([
      { reason: 'data-loss', inputs: [{ inputId: 0, moves: [{ partition: 0, from: 100, offset: 120 }] }] },
    ]);
    expect(logged.at(-1)?.planned.inputs[0]?.ranges[0]).toMatchObject({ fromOffset: 120, untilOffset: 150 });
    expect(second.events).toContainEqual(
      expect.objectContaining({
        kind: 'notice',
        level: 'warn',
        text: expect.stringContaining('20 offsets of views-0'),
      }),
    );
    expect(batches(second.events)[0]?.accumulators).toEqual([
      { name: 'skipped, deleted by retention (topics views)', value: 20, added: 20, leftOut: 'deleted' },
    ]);
    const third = await start(setup);
    expect(await pump(setup.clock, third.engine.done)).toBeUndefined();
    expect(readLog(setup.files).moves).toHaveLength(1);
  });
});

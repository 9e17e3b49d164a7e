import { describe, expect, it } from '@jest/globals';
import type { SqlPool } from '@millrace/api';
import { MillraceError } from '@millrace/common';
import { batches, completed, start } from '../../test/run-application.ts';
import { world } from '../../test/world.ts';
import { readLog } from './log/log-reader.ts';
import { pump, settle } from './testing/pump.ts';
import { countTask, stream } from './testing/run-engine.ts';

describe('an application', () => {
  it('counts every record once, batch by batch, and says so', async () => {
    const counts: [number, number][] = [];
    const setup = world(
      (ssc) =>
        stream(ssc, 'views').foreachRDD(async (rdd, time) => void counts.push([time, await rdd.count()])),
      { config: { batches: 3 } },
    );
    const running = await start(setup);
    await completed(setup, running, 1);
    setup.kafka.produce('views', 0, 7);
    expect(await pump(setup.clock, running.engine.done)).toBeUndefined();
    expect(counts.map(([, count]) => count)).toEqual([150, 7, 0]);
    expect(batches(running.events)).toEqual([
      expect.objectContaining({
        number: 1,
        records: 150,
        span: 150,
        tasks: 2,
        lag: 0,
        coalescedIntervals: 0,
      }),
      expect.objectContaining({ number: 2, records: 7, span: 7, tasks: 1 }),
      expect.objectContaining({ number: 3, records: 0, span: 0, tasks: 0 }),
    ]);
    expect(counts.map(([time]) => time)).toEqual(batches(running.events).map(({ batchTime }) => batchTime));
    expect(running.events.at(0)?.kind).toBe('running');
    expect(running.events.at(-1)).toEqual({ kind: 'ended' });
    expect(setup.clock.pendingTimers).toBe(0);
  });

  it('logs the plan before a task is submitted, and commits when all outputs are done', async () => {
    const order: string[] = [];
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.foreachRDD(async (rdd) => void order.push(`first ${await rdd.count()}`));
        views.foreachRDD(async (rdd) => void order.push(`second ${await rdd.count()}`));
      },
      {
        config: { batches: 1 },
        perform: (set, task) => {
          order.push(
            `task ${readLog(setup.files).batches.length} ${readLog(setup.files).batches[0]?.committed === undefined}`,
          );
          return countTask(set, task);
        },
      },
    );
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    expect(order).toEqual([
      'task 1 true',
      'task 1 true',
      'first 150',
      'task 1 true',
      'task 1 true',
      'second 150',
    ]);
    expect(readLog(setup.files).batches[0]?.committed).toMatchObject({
      epoch: 1,
      metrics: { records: 150, tasks: 4 },
    });
  });

  it('bounds its first batch, and shares it by lag', async () => {
    const setup = world((ssc) =>
      stream(ssc, 'views', { maxRecordsPerBatch: 30 }).foreachRDD(async (rdd) => void (await rdd.count())),
    );
    const running = await start(setup);
    await completed(setup, running, 6);
    expect(batches(running.events).map(({ records, lag }) => [records, lag])).toEqual([
      [30, 120],
      [30, 90],
      [30, 60],
      [30, 30],
      [30, 0],
      [0, 0],
    ]);
    running.engine.stop({ mode: 'drain' });
    expect(await pump(setup.clock, running.engine.done)).toBeUndefined();
  });

  it('logs to which exactly-once outputs its batches may be written, once they are its own', async () => {
    const setup = world(
      (ssc) =>
        stream(ssc, 'views').toPostgres('rows', { pool: () => ({}) as SqlPool, write: () => undefined }),
      { config: { batches: 2 } },
    );
    const { engine } = await start(setup);
    expect(readLog(setup.files).state.outputs.size).toBe(0);
    await pump(setup.clock, engine.done);
    const { batches: logged, state } = readLog(setup.files);
    expect(state.outputs).toEqual(new Map([['postgres:rows', 1]]));
    expect(logged.map(({ planned }) => planned.outputs)).toEqual([['postgres:rows'], ['postgres:rows']]);
  });

  it('calls transform once a batch, however many outputs stand on it', async () => {
    let calls = 0;
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views').transform((rdd) => {
          calls++;
          return rdd;
        });
        views.foreachRDD(async (rdd) => void (await rdd.count()));
        views.foreachRDD(async (rdd) => void (await rdd.count()));
      },
      { config: { batches: 2 } },
    );
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    expect(calls).toBe(2);
  });

  it('does not commit before a job that nobody awaited is done', async () => {
    let finish: (() => void) | undefined;
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD((rdd) => void rdd.count()), {
      perform: (set, task) => new Promise((resolve) => (finish = () => resolve(countTask(set, task)))),
      config: { batches: 1 },
    });
    setup.kafka.create('views', [100]);
    const { engine } = await start(setup);
    for (let step = 0; step < 50; step++) {
      setup.clock.advance(10);
      await settle();
    }
    expect(readLog(setup.files).batches[0]?.committed).toBeUndefined();
    finish?.();
    await pump(setup.clock, engine.done);
    expect(readLog(setup.files).batches[0]?.committed).toBeDefined();
  });

  it('fails with the error of its batch, and runs no later one past it', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())), {
      perform: () => ({ error: MillraceError.toRecord(new MillraceError('VALUE_DECODE', 'views-0 at 17')) }),
    });
    const { engine, events } = await start(setup);
    expect(await pump(setup.clock, engine.done)).toMatchObject({ code: 'VALUE_DECODE' });
    expect(events.map(({ kind }) => kind)).toEqual(['running', 'batch-failed', 'ended']);
    expect(readLog(setup.files)).toMatchObject({ batches: [{ committed: undefined }] });
    expect(setup.clock.pendingTimers).toBe(0);
  });

  it('names the output whose driver lambda threw', async () => {
    const setup = world((ssc) =>
      stream(ssc, 'views').foreachRDD(() => {
        throw new TypeError('my mistake');
      }),
    );
    const { engine } = await start(setup);
    expect(await pump(setup.clock, engine.done)).toMatchObject({
      code: 'USER_CODE',
      what: 'foreachRDD threw TypeError: my mistake',
      details: { output: 'foreachRDD' },
    });
  });

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

  it('waits for a Kafka that is away, and makes one batch of the time', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const running = await start(setup);
    await completed(setup, running, 2);
    setup.kafka.down = true;
    for (let second = 0; second < 30; second++) {
      setup.clock.advance(1_000);
      await settle();
    }
    const before = batches(running.events).length;
    setup.kafka.down = false;
    setup.kafka.produce('views', 0, 5);
    await completed(setup, running, before + 3);
    expect(
      batches(running.events)
        .slice(before)
        .map(({ records }) => records),
    ).toEqual([5, 0, 0]);
    expect(
      batches(running.events)
        .slice(before + 1, before + 3)
        .map(({ coalescedIntervals }) => coalescedIntervals >= 200),
    ).toEqual([true, false]);
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

  it('stops when its log cannot be written', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const running = await start(setup);
    await completed(setup, running, 2);
    const tasks = running.backend.sets.length;
    setup.kafka.produce('views', 0, 5);
    setup.files.fault = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    expect(await pump(setup.clock, running.engine.done)).toMatchObject({ code: 'LOG_WRITE_FAILED' });
    expect(running.backend.sets).toHaveLength(tasks);
  });

  it('fails with an error from outside of its promises', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => undefined));
    const running = await start(setup);
    await completed(setup, running, 1);
    running.engine.fail(new TypeError('thrown in a timer'));
    expect(await pump(setup.clock, running.engine.done)).toMatchObject({
      code: 'USER_CODE',
      what: 'a callback of the job threw TypeError: thrown in a timer',
    });
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

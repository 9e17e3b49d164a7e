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

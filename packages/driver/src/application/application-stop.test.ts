import { describe, expect, it } from '@jest/globals';
import type { SqlPool, StreamingContext } from '@millrace/api';
import { batches, completed, start } from '../../test/run-application.ts';
import { world } from '../../test/world.ts';
import { readLog } from './log/log-reader.ts';
import { openLog, planOfRanges } from './testing/checked-logs.ts';
import type { TaskOutcome } from './testing/fake-backend.ts';
import { MemoryLogFiles } from './testing/memory-log-files.ts';
import { pump, settle } from './testing/pump.ts';
import { countTask, stream } from './testing/run-engine.ts';

describe('an application that is stopped', () => {
  it('ends without an error when it is stopped now, and leaves its batch to the next start', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())), {
      perform: () => new Promise(() => undefined),
    });
    const { engine, backend, events } = await start(setup);
    setup.clock.advance(200);
    await settle();
    engine.stop({ mode: 'now' });
    expect(await pump(setup.clock, engine.done)).toBeUndefined();
    expect(backend.cancelled).toHaveLength(1);
    expect(events.map(({ kind }) => kind)).toEqual(['running', 'ended']);
    expect(readLog(setup.files).state.pending).toBeDefined();
  });

  it('stops now even when a driver lambda waits for ever', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => new Promise<void>(() => undefined)));
    const { engine } = await start(setup);
    setup.clock.advance(200);
    await settle();
    engine.stop({ mode: 'now' });
    expect(await pump(setup.clock, engine.done)).toBeUndefined();
    expect(engine.state).toBe('ENDED');
  });

  it('says that its batch is unfinished when a drain takes too long, and runs it again', async () => {
    let waits = true;
    const setup = world((ssc) =>
      stream(ssc, 'views').foreachRDD(async (rdd) => {
        await (waits ? new Promise<void>(() => undefined) : rdd.count());
      }),
    );
    const { engine, events } = await start(setup);
    setup.clock.advance(200);
    await settle();
    engine.stop({ mode: 'drain' });
    expect(await pump(setup.clock, engine.done, { limitMs: 40_000, stepMs: 100 })).toMatchObject({
      code: 'DRAIN_TIMEOUT',
    });
    // It did not fail.
    expect(events.map(({ kind }) => kind)).toEqual(['running', 'ended']);
    expect(events.at(-1)).toMatchObject({ error: { code: 'DRAIN_TIMEOUT' } });
    waits = false;
    const again = await start(setup);
    await completed(setup, again, 1);
    expect(batches(again.events)[0]).toMatchObject({ records: 150 });
    again.engine.stop({ mode: 'drain' });
    await pump(setup.clock, again.engine.done);
  });

  it('stops at once while Kafka does not answer', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
    const running = await start(setup);
    await completed(setup, running, 1);
    setup.kafka.listOffsets = () => new Promise(() => undefined);
    setup.clock.advance(200);
    await settle();
    running.engine.stop({ mode: 'drain' });
    await settle();
    expect(running.engine.state).toBe('ENDED');
  });

  it('finishes the running batch when it drains', async () => {
    let finish: (() => void) | undefined;
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())), {
      perform: (set, task) => new Promise((resolve) => (finish = () => resolve(countTask(set, task)))),
    });
    setup.kafka.create('views', [10]);
    const running = await start(setup);
    setup.clock.advance(200);
    await settle();
    running.engine.stop({ mode: 'drain' });
    await settle();
    expect(running.engine.state).toBe('DRAINING');
    finish?.();
    expect(await pump(setup.clock, running.engine.done)).toBeUndefined();
    expect(batches(running.events)).toHaveLength(1);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  it('stops at once while it waits for a tick', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => undefined), {
      config: { batchInterval: '1h' },
    });
    const { engine } = await start(setup);
    engine.stop({ mode: 'drain' });
    setup.clock.advance(1);
    await settle();
    expect(engine.state).toBe('ENDED');
  });

  describe('before its outputs are taken over', () => {
    const claimed = (ssc: StreamingContext): void =>
      stream(ssc, 'views').toPostgres('rows', { pool: () => ({}) as SqlPool, write: () => undefined });
    const never = { perform: () => new Promise<TaskOutcome>(() => undefined) };

    it('ends in order, at once, when no batch is pending', async () => {
      const setup = world(claimed, never);
      const { engine, backend, events } = await start(setup);
      setup.clock.advance(1);
      await settle();
      expect(backend.sets).toHaveLength(1);
      engine.stop({ mode: 'drain' });
      await settle();
      expect(engine.state).toBe('ENDED');
      expect(await engine.done).toBeUndefined();
      expect(events.map(({ kind }) => kind)).toEqual(['running', 'ended']);
    });

    it('says that its batch is unfinished when one is pending', async () => {
      const files = new MemoryLogFiles();
      const log = openLog(files);
      log.plan(planOfRanges(1_000, [{ inputId: 0, ranges: [] }]));
      log.close();
      const setup = { ...world(claimed, never), files };
      const { engine } = await start(setup);
      setup.clock.advance(1);
      await settle();
      engine.stop({ mode: 'drain' });
      const error = await pump(setup.clock, engine.done, { limitMs: 40_000, stepMs: 100 });
      expect(error).toMatchObject({ code: 'DRAIN_TIMEOUT' });
      expect(readLog(files).state.pending?.batchTime).toBe(1_000);
    });
  });
});

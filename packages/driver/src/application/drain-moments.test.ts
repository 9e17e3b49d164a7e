// A drain is asked for at every moment of a run: it ends, in order, and no batch is left half done.
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { world } from '../../test/world.ts';
import { readLog } from './log/log-reader.ts';
import { MemoryLogFiles } from './testing/memory-log-files.ts';
import { countTask, createEngine, stream } from './testing/run-engine.ts';

const TASK_MS = 25;
const TURNS_A_STEP = 12;
const STEP_MS = 5;
/** A batch of two outputs, the flush of offsets, and the clients. */
const END_MS_MAX = 2_000;
const IN_A_BATCH = 320;

interface Stop {
  /** The turn in which it is asked for. */
  readonly at: number;
  readonly mode?: 'drain' | 'now';
  /** The log that it begins with. */
  readonly files?: MemoryLogFiles;
}

/** Runs an application in single turns of the microtask queue, time going on between them, until it has stopped. */
async function stopped({ at, mode = 'drain', files = new MemoryLogFiles() }: Stop) {
  const setup = world(
    (ssc) => {
      const views = stream(ssc, 'views', { maxRecordsPerBatch: 50, mirrorOffsets: true });
      views.foreachRDD(async (rdd) => void (await rdd.count()));
      views.foreachRDD(async (rdd) => void (await rdd.count()));
    },
    {
      perform: async (set, task) => {
        await setup.clock.sleep(TASK_MS);
        return countTask(set, task);
      },
    },
  );
  const { engine, events } = await createEngine({ ...setup, files });
  const state = { ended: false };
  let refusal: unknown;
  const begun = engine.validate().then(() => engine.start());
  begun.catch((error: unknown) => {
    refusal = error;
  });
  const done = engine.done.then((error) => {
    state.ended = true;
    return error;
  });
  let stoppedAt = Number.POSITIVE_INFINITY;
  for (let turn = 0; !state.ended; turn++) {
    if (turn === at) {
      stoppedAt = setup.clock.monotonic();
      engine.stop({ mode });
    }
    if (setup.clock.monotonic() - stoppedAt > END_MS_MAX) throw new Error(`it hangs: stopped in turn ${at}`);
    await Promise.resolve();
    if (turn % TURNS_A_STEP === 0) setup.clock.advance(STEP_MS);
  }
  const error = await done;
  await begun.catch(() => undefined);
  const { batches } = readLog(files);
  const pending = batches.filter(({ committed }) => committed === undefined).length;
  return {
    error,
    refusal,
    events,
    committed: batches.length - pending,
    pending,
    timers: setup.clock.pendingTimers,
  };
}

/** Of a drain in this turn; returns how many batches are committed. */
async function expectDrained(stop: Stop): Promise<number> {
  const { at } = stop;
  const { error, refusal, events, committed, pending, timers } = await stopped(stop);
  expect({ at, error, timers }).toEqual({ at, error: undefined, timers: 0 });
  // Before it runs, who starts it hears that it was stopped.
  if (refusal !== undefined) expect([at, MillraceError.toRecord(refusal).code]).toEqual([at, 'CANCELLED']);
  else expect([at, events.at(-1), pending]).toEqual([at, { kind: 'ended' }, 0]);
  return committed;
}

describe('a drain, at whatever moment it is asked for', () => {
  it('ends the application in order, its running batch committed, and nobody waits for anything any more', async () => {
    const seen = new Set<number>();
    // Each turn of a start, then one in seven: two batches and the time between them.
    for (let at = 0; at < 1_500; at += at < 300 ? 1 : 7) seen.add(await expectDrained({ at }));
    expect([...seen]).toEqual(expect.arrayContaining([0, 1, 2]));
  });

  it('also while it runs a batch again that an earlier run has planned', async () => {
    const seen = new Set<number>();
    for (let at = 0; at < 800; at += 11) {
      const files = new MemoryLogFiles();
      expect(await stopped({ at: IN_A_BATCH, mode: 'now', files })).toMatchObject({
        committed: 0,
        pending: 1,
      });
      seen.add(await expectDrained({ at, files }));
    }
    expect([...seen]).toEqual(expect.arrayContaining([0, 1, 2]));
  });
});

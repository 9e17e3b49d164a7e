import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { manualClock } from '../../test/manual-clock.ts';
import { NO_METRICS, type Slot, type SlotEnd, type SlotOutcome, type SlotTask } from './slot.ts';
import { SlotPool } from './slot-pool.ts';

class FakeSlot implements Slot {
  isGone = false;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<SlotEnd>();
  /** The first runs, the others wait. */
  readonly #runs: { task: SlotTask; outcome: PromiseWithResolvers<SlotOutcome | undefined> }[] = [];
  readonly killed: string[] = [];
  readonly ended = this.#ended.promise;

  start = (): Promise<void> => this.#started.promise;
  becomeReady(): void {
    this.#started.resolve();
  }
  run(task: SlotTask): Promise<SlotOutcome | undefined> {
    if (this.isGone) return Promise.resolve(undefined);
    const outcome = Promise.withResolvers<SlotOutcome | undefined>();
    this.#runs.push({ task, outcome });
    return outcome.promise;
  }
  succeed(): void {
    this.#runs.shift()?.outcome.resolve({
      kind: 'succeeded',
      result: new Uint8Array(),
      accumulators: new Uint8Array(),
      metrics: NO_METRICS,
    });
  }
  die(wasUseful: boolean): void {
    this.isGone = true;
    this.#started.reject(new Error('died'));
    const error = {
      code: 'SLOT_LOST',
      what: 'died',
      remedy: '',
      retryable: true,
      details: {},
      stack: '',
    } as const;
    this.#runs.shift()?.outcome.resolve({ kind: 'failed', error, metrics: NO_METRICS });
    for (const { outcome } of this.#runs.splice(0)) outcome.resolve(undefined);
    this.#ended.resolve({ code: 1, signal: null, wasUseful });
  }
  kill(isMeant: (task: SlotTask) => boolean, reason: string): void {
    if (this.#runs.some(({ task }) => isMeant(task))) this.killed.push(reason);
  }
  dropBlobs = (): void => undefined;
  dropApplication = (): void => undefined;
  prefetch(): void {}
  health = () => ({ pid: 1, rssBytes: 1, busy: false, cachedConsumers: 0 });
  close = (): Promise<void> => {
    this.die(true);
    return Promise.resolve();
  };
}

const task = (partition: number): SlotTask => ({
  key: { application: 'a', epoch: 1, batchTime: 1, job: 0, stage: 0, partition, attempt: 0 },
  programHash: 'p',
  programDir: '/p',
  stage: new Uint8Array(),
  task: new Uint8Array(),
  timeoutMs: 1,
  describes: '',
});
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const pools: SlotPool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

function create(slots = 1) {
  const clock = manualClock();
  const made: FakeSlot[] = [];
  const ready: (readonly number[])[] = [];
  const system = { isShort: false };
  const pool = new SlotPool({
    slots,
    createSlot: () => {
      if (system.isShort) throw new Error('spawn ENOMEM');
      const slot = new FakeSlot();
      made.push(slot);
      return slot;
    },
    onReadyChanged: (now) => ready.push(now),
    slotWaitMs: 1_000,
    clock,
    log: silentLogger,
  });
  pools.push(pool);
  return { pool, clock, made, ready, system };
}

describe('the slots of an executor', () => {
  it('tell which of them are ready', async () => {
    const { made, ready, pool } = create(2);
    made[1]?.becomeReady();
    await settled();
    made[0]?.becomeReady();
    await pool.started();
    expect(ready).toEqual([[1], [0, 1]]);
  });

  it('that are not ready in time name the option that gives them more', async () => {
    const { pool, clock } = create();
    const started = pool.started();
    clock.advance(1_000);
    await expect(started).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      what: 'not all slots were ready within 1000 ms',
      remedy: expect.stringContaining('--slot-start-timeout-ms'),
    });
  });

  it('are replaced at once when a task ended them; the task that waits gets the new one', async () => {
    const { made, pool, ready } = create();
    made[0]?.becomeReady();
    await settled();
    const first = pool.run(0, task(1));
    made[0]?.die(true);
    expect(await first).toMatchObject({ kind: 'failed' });
    expect(ready.at(-1)).toEqual([]);
    const second = pool.run(0, task(2));
    await settled();
    made[1]?.becomeReady();
    await settled();
    made[1]?.succeed();
    expect((await second).kind).toBe('succeeded');
  });

  it('are replaced ever more slowly when they never become of use', async () => {
    const { made, clock } = create();
    for (const delayMs of [100, 200, 400, 800]) {
      const count = made.length;
      made.at(-1)?.die(false);
      await settled();
      clock.advance(delayMs - 1);
      await settled();
      expect(made).toHaveLength(count);
      clock.advance(1);
      await settled();
      expect(made).toHaveLength(count + 1);
    }
  });

  it('are replaced when the system has room for a process again', async () => {
    const { made, clock, system } = create();
    system.isShort = true;
    made[0]?.die(true);
    await settled();
    system.isShort = false;
    clock.advance(100);
    await settled();
    expect(made).toHaveLength(2);
  });

  it('give what waited in a slot that died to the next one', async () => {
    const { made, pool } = create();
    made[0]?.becomeReady();
    await settled();
    const first = pool.run(0, task(1));
    const second = pool.run(0, task(2));
    made[0]?.die(true);
    expect(await first).toMatchObject({ kind: 'failed' });
    await settled();
    made[1]?.becomeReady();
    await settled();
    made[1]?.succeed();
    expect((await second).kind).toBe('succeeded');
  });

  it('give up a task for which no slot becomes ready in time', async () => {
    const { pool, clock } = create();
    const outcome = pool.run(0, task(1));
    await settled();
    clock.advance(1_000);
    expect(await outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'DEADLINE_EXCEEDED', retryable: true },
    });
    expect(await pool.run(7, task(1))).toMatchObject({ kind: 'failed', error: { code: 'BAD_REQUEST' } });
  });

  it('run one task at a time, in the order they came', async () => {
    const { pool, made } = create();
    made[0]?.becomeReady();
    await settled();
    const ended: number[] = [];
    const runs = [1, 2, 3].map((partition) => pool.run(0, task(partition)).then(() => ended.push(partition)));
    for (let i = 0; i < 3; i++) {
      await settled();
      expect(ended).toHaveLength(i);
      made[0]?.succeed();
    }
    await Promise.all(runs);
    expect(ended).toEqual([1, 2, 3]);
  });

  it('kill the tasks that are meant', async () => {
    const { pool, made } = create(2);
    for (const slot of made) slot.becomeReady();
    await settled();
    void pool.run(0, task(1));
    void pool.run(1, task(2));
    pool.kill(({ key }) => key.partition === 2, 'because');
    expect(made.map((slot) => slot.killed)).toEqual([[], ['because']]);
  });

  it('kill a task that waits for its slot to start', async () => {
    const { pool, made } = create();
    const waiting = pool.run(0, task(2));
    await settled();
    pool.kill(({ key }) => key.partition === 2, 'because');
    expect(await waiting).toMatchObject({ kind: 'failed', error: { code: 'TASK_KILLED' } });
    expect(made[0]?.killed).toEqual([]);
  });

  it('fail what waits when the pool is closed', async () => {
    const { pool } = create();
    const waiting = pool.run(0, task(1));
    await settled();
    await pool.close();
    expect(await waiting).toMatchObject({ kind: 'failed', error: { code: 'EXECUTOR_LOST' } });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { manualClock } from '../../test/manual-clock.ts';
import { NO_METRICS, type SlotOutcome, type SlotTask } from './slot.ts';
import { SlotRuns } from './slot-runs.ts';

const task = (name: string): SlotTask => ({ describes: name }) as SlotTask;
const done: SlotOutcome = {
  kind: 'succeeded',
  result: new Uint8Array(),
  accumulators: new Uint8Array(),
  metrics: NO_METRICS,
};

let clock: ReturnType<typeof manualClock>;
let begun: string[];
let runs: SlotRuns;
beforeEach(() => {
  clock = manualClock();
  begun = [];
  runs = new SlotRuns(clock, (run) => begun.push(run.task.describes));
});

describe('the runs of a slot', () => {
  it('begin one after the other, in the order they came', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => runs.add(task(name)));
    expect(begun).toEqual(['a']);
    if (!a || !b || !c) throw new Error('three were added');
    runs.settle(a.run, done);
    expect(begun).toEqual(['a', 'b']);
    expect(runs.waiting.map(({ id }) => id)).toEqual([c.run.id]);
    expect(await a.outcome).toBe(done);
    runs.settle(b.run, done);
    runs.settle(c.run, done);
    expect([runs.running, runs.count]).toEqual([undefined, 3]);
  });

  it('let one that waits go without touching the one that runs', async () => {
    const a = runs.add(task('a'));
    const b = runs.add(task('b'));
    const c = runs.add(task('c'));
    runs.settle(b.run, done);
    expect(await b.outcome).toBe(done);
    expect(begun).toEqual(['a']);
    runs.settle(a.run, done);
    expect(begun).toEqual(['a', 'c']);
    expect(runs.running).toMatchObject({ id: c.run.id });
  });

  it('that were answered keep their place until they are settled', async () => {
    const a = runs.add(task('a'));
    const b = runs.add(task('b'));
    const killed: SlotOutcome = { ...done, result: Buffer.from('killed') };
    runs.answer(b.run, killed);
    expect(await b.outcome).toBe(killed);
    runs.settle(a.run, done);
    expect(begun).toEqual(['a', 'b']);
    runs.settle(b.run, done);
    expect(await b.outcome).toBe(killed);
    expect(runs.running).toBeUndefined();
  });

  it('are settled once', async () => {
    const a = runs.add(task('a'));
    runs.add(task('b'));
    runs.settle(a.run, done);
    runs.settle(a.run, { kind: 'failed', error: { code: 'INTERNAL' } as never, metrics: NO_METRICS });
    expect(await a.outcome).toBe(done);
    expect(begun).toEqual(['a', 'b']);
  });

  it('have timers that end with them', () => {
    const fired: string[] = [];
    const a = runs.add(task('a'));
    const b = runs.add(task('b'));
    runs.after(a.run, 10, () => fired.push('a'));
    runs.after(b.run, 10, () => fired.push('b'));
    runs.settle(a.run, done);
    // Too late: it is over.
    runs.after(a.run, 10, () => fired.push('a again'));
    clock.advance(20);
    expect(fired).toEqual(['b']);
    expect(clock.timers).toBe(0);
  });

  it('end with their slot: the first one has failed, the others never began', async () => {
    const a = runs.add(task('a'));
    const b = runs.add(task('b'));
    runs.after(a.run, 10, () => undefined);
    runs.end((run) => ({ ...done, result: Buffer.from(run.task.describes) }));
    expect(await a.outcome).toMatchObject({ result: Buffer.from('a') });
    expect(await b.outcome).toBeUndefined();
    expect([runs.running, runs.waiting, clock.timers]).toEqual([undefined, [], 0]);
    expect(begun).toEqual(['a']);
  });
});

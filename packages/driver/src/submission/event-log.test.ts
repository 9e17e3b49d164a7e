import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { EventLog } from './event-log.ts';

const output = (text: string) => ({ kind: 'output', text, error: false }) as const;
function all(log: EventLog, after: number): string[] {
  return log.after(after).events.map(({ event }) => (event.kind === 'output' ? event.text : event.kind));
}

describe('EventLog', () => {
  it('gives the events after a sequence, and those after 0 or an older driver’s from the first', () => {
    const log = new EventLog(5);
    for (const text of ['a', 'b', 'c']) log.append(output(text), 0);
    expect(all(log, 0)).toEqual(['a', 'b', 'c']);
    expect(all(log, 4999)).toEqual(['a', 'b', 'c']);
    expect(all(log, log.sequence - 1)).toEqual(['c']);
    expect(all(log, log.sequence)).toEqual([]);
    expect(all(log, log.sequence + 50)).toEqual([]);
  });

  it('says how many events are gone when it is full', () => {
    const log = new EventLog(1);
    for (let index = 0; index < 25_000; index++) log.append(output(`${index}`), 0);
    const page = log.after(1000);
    expect(page.dropped).toBe(15_000);
    expect(all(log, 1000)[0]).toBe('15000');
    expect(log.after(log.sequence - 3).dropped).toBe(0);
  });

  it('is bounded in size, too', () => {
    const log = new EventLog(1);
    for (let index = 0; index < 1000; index++) log.append(output('x'.repeat(16_000)), 0);
    const { dropped } = log.after(0);
    expect(dropped).toBeGreaterThan(700);
    expect(dropped).toBeLessThan(800);
  });

  it('does not hold the large events that it dropped', async () => {
    const log = new EventLog(1);
    const events = Array.from({ length: 2_000 }, () => {
      const event = output('x'.repeat(16_000));
      log.append(event, 0);
      return new WeakRef(event);
    });
    // What a WeakRef was made of lives until the end of this turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    const held = events.slice(0, 1_000).filter((event) => event.deref() !== undefined);
    expect(held).toHaveLength(0);
  });

  it('keeps only the last ones when it is trimmed', () => {
    const log = new EventLog(1);
    for (const text of ['a', 'b', 'c']) log.append(output(text), 0);
    log.trim(2);
    expect(log.after(0).dropped).toBe(1);
    log.append(output('d'), 0);
    expect(all(log, 0)).toEqual(['b', 'c', 'd']);
  });

  it('wakes who waits at the next event, or when it gives up', async () => {
    const log = new EventLog(1);
    const gaveUp = new AbortController();
    const waits = [log.next(new AbortController().signal), log.next(gaveUp.signal)];
    gaveUp.abort();
    log.append(output('a'), 0);
    await Promise.all(waits);
    await log.next(gaveUp.signal);
  });
});

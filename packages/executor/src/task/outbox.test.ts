import { describe, expect, it } from '@jest/globals';
import type { TaskEndedInit } from '@millrace/proto';
import { manualClock } from '../../test/manual-clock.ts';
import { Outbox } from './outbox.ts';

function outbox() {
  const sent: number[][] = [];
  const clock = manualClock();
  const slotsOf = (ended: readonly TaskEndedInit[]): number[] => ended.map(({ slot = -1 }) => slot);
  const box = new Outbox(clock, (ended) => void sent.push(slotsOf(ended)));
  const add = (slot: number, more: boolean, own: TaskEndedInit = {}): void =>
    box.add({ slot, result: Buffer.alloc(1), ...own }, more);
  return { box, sent, clock, add };
}

describe('an outbox', () => {
  it('sends what was held with the outcome that nothing follows, in order', () => {
    const { sent, add, clock } = outbox();
    add(0, true);
    add(1, true);
    expect(sent).toEqual([]);
    add(2, false);
    add(3, false);
    expect(sent).toEqual([[0, 1, 2], [3]]);
    expect(clock.timers).toBe(0);
  });

  it('holds nothing for longer than a moment, however long the next task takes', () => {
    const { sent, add, clock } = outbox();
    add(0, true);
    clock.advance(1);
    add(1, true);
    expect(sent).toEqual([]);
    clock.advance(1);
    expect(sent).toEqual([[0, 1]]);
    add(2, true);
    clock.advance(2);
    expect(sent).toEqual([[0, 1], [2]]);
  });

  it('holds neither failures nor many bytes', () => {
    const { sent, add } = outbox();
    add(0, true, { failure: {} });
    add(1, true, { result: Buffer.alloc(1024 * 1024) });
    expect(sent).toEqual([[0]]);
    add(2, true);
    expect(sent).toEqual([[0], [1, 2]]);
  });

  it('forgets what nobody waits for', () => {
    const { box, sent, add, clock } = outbox();
    add(0, true);
    box.clear();
    clock.advance(10);
    box.flush();
    expect(sent).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});

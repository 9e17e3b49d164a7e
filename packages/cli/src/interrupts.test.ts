import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import type { ExitCode } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';

/** Signals come a second apart unless `apartMs` says otherwise. */
function interrupts(apartMs = 1000) {
  const exits: ExitCode[] = [];
  let now = 0;
  const clock = { ...systemClock, monotonic: () => (now += apartMs) };
  return { exits, subject: new Interrupts(clock, (code) => void exits.push(code)) };
}

describe('Interrupts', () => {
  it('ends the process when nobody listens', () => {
    const { exits, subject } = interrupts();
    subject.receive('SIGINT');
    expect(exits).toEqual([130]);
  });

  it('counts signals for a listener and ends the process at the third', () => {
    const { exits, subject } = interrupts();
    const counts: number[] = [];
    subject.listen((count) => counts.push(count));
    subject.receive('SIGINT');
    subject.receive('SIGINT');
    expect(exits).toEqual([]);
    subject.receive('SIGINT');
    expect([counts.slice(0, 2), exits]).toEqual([[1, 2], [130]]);
  });

  it('takes signals at the same moment for one: npm passes on what the terminal sent to all', () => {
    const { exits, subject } = interrupts(10);
    const counts: number[] = [];
    subject.listen((count) => counts.push(count));
    for (let index = 0; index < 5; index++) subject.receive('SIGINT');
    expect([counts, exits]).toEqual([[1], []]);
  });

  it('tells a late listener of the signal that was before', () => {
    const { subject } = interrupts();
    const stop = subject.listen(() => undefined);
    subject.receive('SIGTERM');
    stop();
    const counts: number[] = [];
    subject.listen((count) => counts.push(count));
    expect(counts).toEqual([1]);
    expect(subject.signal.aborted).toBe(true);
  });

  it('exits by the first signal, whatever came later, and by the command when there was none', () => {
    const { subject } = interrupts();
    expect(subject.exitCode(3)).toBe(3);
    subject.listen(() => undefined);
    subject.receive('SIGTERM');
    subject.receive('SIGINT');
    expect(subject.exitCode(0)).toBe(143);
  });
});

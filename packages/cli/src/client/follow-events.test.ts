import { describe, expect, it } from '@jest/globals';
import { type Clock, MillraceError, systemClock } from '@millrace/common';
import type { ApplicationEvent } from './application-event.ts';
import { type FollowOptions, followEvents } from './follow-events.ts';

/** Sleeps take no time but move the clock. */
function jumpingClock(): Clock {
  let now = 0;
  return {
    ...systemClock,
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}

const output = (sequence: number): ApplicationEvent => ({
  sequence,
  at: 0,
  application: 'a',
  kind: 'output',
  text: `${sequence}`,
  error: false,
});
const stopped = (sequence: number): ApplicationEvent => ({
  sequence,
  at: 0,
  application: 'a',
  kind: 'state',
  state: 'STOPPED',
  error: undefined,
});
const lost = new MillraceError('DRIVER_UNREACHABLE', 'gone');

/** Each opening of the stream plays the next script: events, then an error or the end. */
function follow(
  scripts: ReadonlyArray<readonly (ApplicationEvent | Error)[]>,
  rest: Partial<FollowOptions> = {},
) {
  const asked: number[] = [];
  const options: FollowOptions = {
    application: 'a',
    afterSequence: 0,
    reach: async () => undefined,
    async *open(after) {
      asked.push(after);
      for (const step of scripts[asked.length - 1] ?? [lost]) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
    state: async () => ({ state: 'RUNNING', error: undefined }),
    clock: jumpingClock(),
    signal: new AbortController().signal,
    reconnectMs: 10_000,
    ...rest,
  };
  return { asked, events: followEvents(options) };
}

async function sequences(events: AsyncIterable<ApplicationEvent>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of events) seen.push(sequence);
  return seen;
}

describe('following an application', () => {
  it('ends at the final state', async () => {
    const { events } = follow([[output(1), stopped(2), output(3)]]);
    expect(await sequences(events)).toEqual([1, 2]);
  });

  it('resumes after the last sequence number and shows nothing twice', async () => {
    const { asked, events } = follow([[output(1), output(2), lost], [output(2), output(3)], [stopped(4)]]);
    expect(await sequences(events)).toEqual([1, 2, 3, 4]);
    expect(asked).toEqual([0, 2, 3]);
  });

  it('tells of one absence once', async () => {
    const told: string[] = [];
    const { events } = follow([[output(1), lost], [lost], [lost], [output(2), stopped(3)]], {
      onLost: () => told.push('lost'),
      onResumed: () => told.push('resumed'),
    });
    await sequences(events);
    expect(told).toEqual(['lost', 'resumed']);
  });

  it('asks for the state when the stream ends without a final one', async () => {
    const { events } = follow([[output(1)]], { state: async () => ({ state: 'STOPPED', error: undefined }) });
    expect(await sequences(events)).toEqual([1, 2]);
  });

  it('gives up when the driver stays away', async () => {
    const { events, asked } = follow([[output(1), lost]]);
    await expect(sequences(events)).rejects.toMatchObject({ code: 'DRIVER_UNREACHABLE', cause: lost });
    expect(asked.length).toBeGreaterThan(3);
  });

  it('gives each absence its own time', async () => {
    const flaky = Array.from({ length: 50 }, (_, index) => [output(index + 1), lost]);
    const { events } = follow([...flaky, [stopped(51)]], { reconnectMs: 500 });
    expect(await sequences(events)).toHaveLength(51);
  });

  it('does not try again what the driver refuses', async () => {
    const refusal = new MillraceError('UNAUTHENTICATED', 'no');
    const { events, asked } = follow([[refusal]]);
    await expect(sequences(events)).rejects.toBe(refusal);
    expect(asked).toHaveLength(1);
  });

  it('does not wait for a driver that is away when it is left', async () => {
    const leave = new AbortController();
    const never = new Promise<never>(() => undefined);
    const { events } = follow([], { signal: leave.signal, reach: () => never });
    const seen = sequences(events);
    leave.abort();
    expect(await seen).toEqual([]);
  });

  it('ends quietly when it is left', async () => {
    const leave = new AbortController();
    const { events } = follow([[output(1), lost]], { signal: leave.signal, onLost: () => leave.abort() });
    expect(await sequences(events)).toEqual([1]);
  });
});

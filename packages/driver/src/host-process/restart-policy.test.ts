import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, MillraceError, problemsError } from '@millrace/common';
import { VirtualClock } from '@millrace/testing';
import { withKafkaTimeout } from '../kafka-away.ts';
import { Restarts } from './restart-policy.ts';

const crash = MillraceError.toRecord(new MillraceError('HOST_LOST', 'it is gone'));
const away = withKafkaTimeout(
  MillraceError.toRecord(new MillraceError('KAFKA_UNREACHABLE', 'no answer')),
  60_000,
);

describe('the restarts of a host', () => {
  it('come at once, then wait twice as long each time, then there is none', () => {
    const restarts = new Restarts(new VirtualClock(0));
    const waits = Array.from({ length: 6 }, () => {
      const wait = restarts.next(crash);
      if (wait !== 'give-up') restarts.note(crash, wait);
      return wait;
    });
    expect(waits).toEqual([0, 500, 1000, 2000, 4000, 'give-up']);
  });

  it('are counted for whoever watches, and forgotten after ten minutes', () => {
    const clock = new VirtualClock(0);
    const restarts = new Restarts(clock);
    expect(restarts.note(crash, 0)).toEqual({ isFirst: true, text: 'restart 1 of 5' });
    clock.advance(599_000);
    expect(restarts.note(crash, 500)).toEqual({ isFirst: false, text: 'restart 2 of 5 in 0.5 s' });
    clock.advance(1_000);
    expect(restarts.next(crash)).toBe(500);
    expect(restarts.count).toBe(2);
  });

  it('that do not find Kafka are told by all of their problems', () => {
    const restarts = new Restarts(new VirtualClock(0));
    const wait = (...codes: ErrorCode[]): number | 'give-up' => {
      const error = problemsError(codes.map((code) => new MillraceError(code, 'no')));
      return restarts.next(withKafkaTimeout(MillraceError.toRecord(error), 60_000));
    };
    expect(wait('KAFKA_UNREACHABLE', 'LEADER_CHANGED')).toBe(1000);
    expect(wait('KAFKA_UNREACHABLE', 'CANCELLED')).toBe(0);
  });

  it('that do not find Kafka go on for as long as the job waits for it, from the first one after a host ran', () => {
    const clock = new VirtualClock(0);
    const restarts = new Restarts(clock);
    const untilGivenUp = (): number => {
      for (let made = 0; ; made++) {
        const wait = restarts.next(away);
        if (wait === 'give-up') return made;
        restarts.note(away, wait);
        clock.advance(wait + 9_000);
      }
    };
    expect(restarts.note(away, 1_000)).toEqual({
      isFirst: true,
      text: 'restart in 1 s; it waits for Kafka for 60 s more',
    });
    clock.advance(50_000);
    restarts.started();
    expect(untilGivenUp()).toBe(6);
    expect(restarts.next(crash)).toBe(0);
    expect(restarts.count).toBe(0);
  });
});

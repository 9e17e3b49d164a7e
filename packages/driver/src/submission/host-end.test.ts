import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, MillraceError } from '@millrace/common';
import { afterFailedStart, afterHostEnd } from './host-end.ts';

const record = (code: ErrorCode) => MillraceError.toRecord(new MillraceError(code, 'it ended'));
const crash = record('HOST_LOST');
const failed = record('APPLICATION_FAILED');
const unfinished = record('DRAIN_TIMEOUT');

describe('afterHostEnd', () => {
  const table = [
    ['stops when it ended by itself', { state: 'RUNNING', ended: {}, restart: 0 }, { to: 'STOPPED' }],
    ['stops when it was asked to', { state: 'STOPPING', ended: {}, restart: 0 }, { to: 'STOPPED' }],
    [
      'stops when it crashed while stopping',
      { state: 'STOPPING', ended: undefined, restart: 0 },
      { to: 'STOPPED' },
    ],
    [
      'fails when it ended with an error',
      { state: 'RUNNING', ended: { error: failed }, restart: 0 },
      { to: 'FAILED', error: failed },
    ],
    [
      'fails when its last batch failed while stopping',
      { state: 'STOPPING', ended: { error: failed }, restart: 0 },
      { to: 'FAILED', error: failed },
    ],
    [
      'stops, and says so, when the drain took too long',
      { state: 'STOPPING', ended: { error: unfinished }, restart: 0 },
      { to: 'STOPPED', error: unfinished },
    ],
    [
      'starts again when it crashed',
      { state: 'RUNNING', ended: undefined, restart: 500 },
      { to: 'STARTING', afterMs: 500, why: crash },
    ],
    [
      'starts again when it crashed while starting',
      { state: 'STARTING', ended: undefined, restart: 0 },
      { to: 'STARTING', afterMs: 0, why: crash },
    ],
    [
      'fails when it crashed too often',
      { state: 'RUNNING', ended: undefined, restart: 'give-up' },
      { to: 'FAILED', error: crash },
    ],
  ] as const;
  it.each(table)('%s', (_name, end, expected) => {
    expect(afterHostEnd({ ...end, crash })).toEqual(expected);
  });
});

describe('afterFailedStart', () => {
  it('tries again when the trouble may pass, else the application has failed', () => {
    const away = record('KAFKA_UNREACHABLE');
    const busy = record('HOST_UNRESPONSIVE');
    expect(afterFailedStart(away, 0)).toEqual({ to: 'STARTING', afterMs: 0, why: away });
    expect(afterFailedStart(busy, 500)).toEqual({ to: 'STARTING', afterMs: 500, why: busy });
    expect(afterFailedStart(record('KAFKA_UNREACHABLE'), 'give-up').to).toBe('FAILED');
    expect(afterFailedStart(record('JOB_INVALID'), 0).to).toBe('FAILED');
  });
});

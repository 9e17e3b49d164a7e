import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, MillraceError } from '@millrace/common';
import { afterFailedStart, afterHostEnd } from './host-end.ts';

const record = (code: ErrorCode) => MillraceError.toRecord(new MillraceError(code, 'it ended'));
const crash = record('HOST_LOST');
const failed = record('APPLICATION_FAILED');

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
      'starts again when it crashed',
      { state: 'RUNNING', ended: undefined, restart: 500 },
      { to: 'STARTING', afterMs: 500 },
    ],
    [
      'starts again when it crashed while starting',
      { state: 'STARTING', ended: undefined, restart: 0 },
      { to: 'STARTING', afterMs: 0 },
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
    expect(afterFailedStart(record('KAFKA_UNREACHABLE'), 0)).toEqual({ to: 'STARTING', afterMs: 0 });
    expect(afterFailedStart(record('HOST_UNRESPONSIVE'), 500)).toEqual({ to: 'STARTING', afterMs: 500 });
    expect(afterFailedStart(record('KAFKA_UNREACHABLE'), 'give-up').to).toBe('FAILED');
    expect(afterFailedStart(record('JOB_INVALID'), 0).to).toBe('FAILED');
  });
});

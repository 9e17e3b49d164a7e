import { describe, expect, it } from '@jest/globals';
import type { ApplicationStatus } from '../client/cluster-client.ts';
import { statusText } from './cluster-text.ts';

const STATUS: ApplicationStatus = {
  application: 'views',
  state: 'RUNNING',
  epoch: 2,
  programHash: 'a'.repeat(64),
  submittedAt: 1_000,
  hostPid: 77,
  batches: 12,
  records: 4711,
  skippedUndecodable: 0,
  skippedDeleted: 0,
  deadLetters: 0,
  lag: 3,
  lastBatchTime: 0,
  lastProcessingMs: 0,
  lastNotice: null,
  error: undefined,
  restarts: 0,
  programId: 'b'.repeat(64),
  earlierPrograms: [],
};

/** A fact of it by its name. */
function fact(status: ApplicationStatus, name: string): string | undefined {
  const line = statusText(status, 2_000)
    .split('\n')
    .find((each) => each.startsWith(`${name}  `));
  return line?.slice(name.length).trim();
}

describe('millrace status', () => {
  it('says what was left out of the run, and why', () => {
    const lossy = { ...STATUS, skippedUndecodable: 234, skippedDeleted: 30, deadLetters: 5 };
    expect(fact(lossy, 'skipped')).toBe('234 undecodable, 30 deleted by retention');
    expect(fact(lossy, 'dead letters')).toBe('5');
    expect([fact(STATUS, 'skipped'), fact(STATUS, 'dead letters')]).toEqual(['0', '0']);
  });

  it('says what the application said last, and when: it may wait for Kafka', () => {
    const text = 'tasks wait for Kafka, up to 600 s: No Kafka broker could be reached\nlast: refused';
    const waiting = { ...STATUS, lastNotice: { level: 'warn', text, at: 500 } };
    expect(fact(waiting, 'last notice')).toBe(
      '1.50s ago: tasks wait for Kafka, up to 600 s: No Kafka broker could be reached',
    );
    expect(fact(STATUS, 'last notice')).toBeUndefined();
  });
});

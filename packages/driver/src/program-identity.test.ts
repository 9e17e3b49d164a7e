import { describe, expect, it } from '@jest/globals';
import { isPlannedBy, programId, settingsOf } from './program-identity.ts';

const PLAIN = settingsOf({ batchInterval: '1s' }, { REGION: 'eu', LIMIT: '5' });

describe('the settings of a program', () => {
  it.each<[string, Record<string, unknown>, Record<string, string>]>([
    ['in another order', { batchInterval: '1s' }, { LIMIT: '5', REGION: 'eu' }],
    ['an interval that is written in another way', { batchInterval: 1000 }, { REGION: 'eu', LIMIT: '5' }],
    [
      'options that decide no results',
      {
        batchInterval: '1s',
        batches: '7',
        taskTimeout: '9s',
        taskAttemptsMax: '9',
        kafkaTimeout: '9s',
        localityWait: '0',
        logSegmentBytes: '9999',
        name: 'x',
      },
      { REGION: 'eu', LIMIT: '5' },
    ],
    [
      'renewed secrets',
      { batchInterval: '1s' },
      { REGION: 'eu', LIMIT: '5', DB_PASSWORD: `${Math.random()}-long` },
    ],
  ])('are the same with %s', (_what, config, environment) => {
    expect(settingsOf(config, environment)).toBe(PLAIN);
  });

  it.each<[string, Record<string, unknown>, Record<string, string>]>([
    ['another interval', { batchInterval: '2s' }, { REGION: 'eu', LIMIT: '5' }],
    ['the interval of the code', {}, { REGION: 'eu', LIMIT: '5' }],
    ['another value', { batchInterval: '1s' }, { REGION: 'us', LIMIT: '5' }],
    ['a variable more', { batchInterval: '1s' }, { REGION: 'eu', LIMIT: '5', MODE: '' }],
    ['a variable less', { batchInterval: '1s' }, { REGION: 'eu' }],
    ['values that have changed places', { batchInterval: '1s' }, { REGION: '5', LIMIT: 'eu' }],
  ])('are others with %s', (_what, config, environment) => {
    expect(settingsOf(config, environment)).not.toBe(PLAIN);
  });

  it('are part of what a program is; without any it is its code', () => {
    expect(settingsOf({ batches: 3 }, { API_TOKEN: 'abcdef' })).toBe('');
    expect(programId({ programHash: 'p', settings: '' })).toBe('p');
    const ids = [PLAIN, settingsOf({}, { A: '1' })].map((settings) =>
      programId({ programHash: 'p', settings }),
    );
    expect(new Set([...ids, 'p']).size).toBe(3);
  });

  it('say whether a batch is of the program; one that was planned without them is of every program of its code', () => {
    const program = { programHash: 'p', settings: PLAIN };
    expect(isPlannedBy(program, program)).toBe(true);
    expect(isPlannedBy({ programHash: 'p' }, program)).toBe(true);
    expect(isPlannedBy({ programHash: 'p', settings: '' }, program)).toBe(false);
    expect(isPlannedBy({ programHash: 'q', settings: PLAIN }, program)).toBe(false);
  });
});

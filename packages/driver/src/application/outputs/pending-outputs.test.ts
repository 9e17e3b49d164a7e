import { describe, expect, it } from '@jest/globals';
import {
  claim,
  codeOf,
  DAY_MS,
  FakeKafka,
  type Found,
  type Given,
  NOW,
  OUTPUT,
  outputs,
  PREFIX,
} from './testing/fake-kafka.ts';

describe('the exactly-once outputs of a run that finds a planned batch', () => {
  it('take up what the same program has written of a batch that another one has planned', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const changed = { pending: {}, logged: 3, programHash: 'p2' };
    const first = outputs(kafka, changed);
    await claim(first);
    // Its host dies when one of two tasks is done.
    const { planHash } = await first.begin(OUTPUT, 2);
    kafka.set(1, { epoch: 5, batchTime: NOW, planHash });
    const second = outputs(kafka, changed);
    await claim(second);
    expect((await second.begin(OUTPUT, 2)).planHash).toBe(planHash);
    expect(await codeOf(second.begin(OUTPUT, 3))).toBe('OUTPUT_CONFLICT');
    expect(await codeOf(claim(outputs(kafka, { ...changed, settings: 's2' })))).toBe('OUTPUT_CONFLICT');
  });

  it.each<[string, string, Given, Found | undefined]>([
    ['are fenced by a newer run', 'FENCED', { logged: 1 }, { epoch: 6, batchTime: 1, planHash: '' }],
    [
      'run a planned batch again',
      'done',
      { pending: {}, logged: 1 },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'refuse a planned batch of their own, of which another program was told to write a part',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1 },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'refuse one of their own, of which another program may have written to an output that this one does not have',
      'OUTPUT_CONFLICT',
      { pending: { outputs: [PREFIX, 'millrace/app/theirs'] }, logged: 1, prefix: 'millrace/app/theirs' },
      undefined,
    ],
    [
      'run one of another program that was planned without an output that had been removed before',
      'done',
      { pending: { outputs: [PREFIX] }, logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
    [
      'refuse one of another program that may have written to a table of an output that this one does not have',
      'OUTPUT_CONFLICT',
      { pending: { outputs: ['postgres:rows'] }, logged: 1, programHash: 'p2', prefix: 'postgres:rows' },
      undefined,
    ],
    [
      'run one that is older than what Kafka remembers when only a table may have it',
      'done',
      {
        pending: { batchTime: NOW - 8 * DAY_MS, outputs: ['postgres:rows'] },
        logged: 1,
        prefix: 'postgres:rows',
        known: [PREFIX, 'postgres:rows'],
      },
      undefined,
    ],
    [
      'run one of another program without an output that was planned, and never written to',
      'done',
      { pending: { outputs: ['millrace/app/old'] }, programHash: 'p2' },
      undefined,
    ],
    [
      'run one that is that old when it was planned without the outputs that were ever written to',
      'done',
      { pending: { batchTime: NOW - 8 * DAY_MS, outputs: [] }, logged: 1 },
      undefined,
    ],
    [
      'refuse one of which Kafka has forgotten all before its time',
      'OUTPUT_EXPIRED',
      { pending: {}, logged: 1 },
      undefined,
    ],
    [
      'refuse one that is older than what Kafka remembers',
      'OUTPUT_EXPIRED',
      { pending: { batchTime: NOW - 8 * DAY_MS }, logged: 1 },
      undefined,
    ],
    [
      'run one that is that old when nothing was ever written',
      'done',
      { pending: { batchTime: NOW - 8 * DAY_MS } },
      undefined,
    ],
    [
      'refuse one that another program has written in part',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, programHash: 'p2' },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'refuse one that the same code has written in part with other settings',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, settings: 's2' },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'run one of the same code that was planned by a version that knew no settings',
      'done',
      { pending: {}, planned: undefined, logged: 1, settings: 's2' },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'run one that another program has planned and not written',
      'done',
      { pending: {}, logged: 1, programHash: 'p2' },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'refuse one of an output that the program does not have any more',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
    [
      'go on without an output that is gone, when nothing is pending',
      'done',
      { logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
  ])('%s', async (_what, code, given, progress) => {
    const kafka = new FakeKafka();
    if (progress) kafka.set(0, progress);
    expect(await codeOf(claim(outputs(kafka, given)))).toBe(code);
    // Whoever tries again finds the same.
    expect(await codeOf(claim(outputs(kafka, given)))).toBe(code);
  });

  it.each([NOW, NOW + 1])(
    'refuse a batch that is there with another plan, or of which a later one is there, before any output of it runs',
    async (batchTime) => {
      const kafka = new FakeKafka();
      kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
      kafka.set(1, { epoch: 4, batchTime, planHash: 'other' });
      expect(await codeOf(claim(outputs(kafka, { pending: {}, logged: 2 })))).toBe('OUTPUT_CONFLICT');
    },
  );

  it('log that they write to a batch that was planned without them, once', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const all = outputs(kafka, { pending: { outputs: ['millrace/app/a'] }, logged: 2, programHash: 'p2' });
    await claim(all);
    kafka.done.length = 0;
    await all.begin(OUTPUT, 1);
    await all.begin(OUTPUT, 1);
    expect(kafka.done).toEqual([`log ${PREFIX} 2`]);
  });
});

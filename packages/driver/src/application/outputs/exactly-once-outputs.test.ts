import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { claim, codeOf, DAY_MS, FakeKafka, NOW, OUTPUT, outputs, PREFIX } from './testing/fake-kafka.ts';

describe('the exactly-once outputs of a run', () => {
  it('claim every id that was ever used: init, and the epoch over what is there', async () => {
    const kafka = new FakeKafka();
    kafka.set(1, { epoch: 4, batchTime: 7, planHash: 'h' });
    await claim(outputs(kafka, { logged: 2 }));
    expect(kafka.done.toSorted()).toEqual([
      `commit ${PREFIX}/0 {"v":1,"epoch":5,"batchTime":0,"planHash":"","log":"log-1"}`,
      `commit ${PREFIX}/1 {"v":1,"epoch":5,"batchTime":7,"planHash":"h","log":"log-1"}`,
      `init ${PREFIX}/0`,
      `init ${PREFIX}/1`,
    ]);
  });

  it('claim the ids of more tasks, and log them before the first of those runs, and neither again', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const all = outputs(kafka, { pending: {}, logged: 1 });
    await claim(all);
    kafka.done.length = 0;
    const { prefix, planHash } = await all.begin(OUTPUT, 3);
    expect(prefix).toBe(PREFIX);
    expect(kafka.done.at(-1)).toBe(`log ${PREFIX} 3`);
    expect(kafka.done.filter((what) => what.startsWith('init'))).toEqual([
      `init ${PREFIX}/1`,
      `init ${PREFIX}/2`,
    ]);
    kafka.done.length = 0;
    expect((await all.begin(OUTPUT, 3)).planHash).toBe(planHash);
    expect((await all.begin(OUTPUT, 2)).planHash).not.toBe(planHash);
    expect(kafka.done).toEqual([]);
  });

  it('touch their first id once a day, so that what they have is not forgotten while they write nothing', async () => {
    const kafka = new FakeKafka();
    const all = outputs(kafka, { pending: {}, logged: 2 });
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    await claim(all);
    kafka.done.length = 0;
    kafka.laterMs = DAY_MS;
    await all.begin(OUTPUT, 2);
    await all.begin(OUTPUT, 2);
    expect(kafka.done).toEqual([
      `init ${PREFIX}/0`,
      `commit ${PREFIX}/0 {"v":1,"epoch":5,"batchTime":7,"planHash":"h","log":"log-1"}`,
    ]);
  });

  it('look for the topic of the progress once a cluster', async () => {
    const kafka = new FakeKafka();
    await claim(outputs(kafka, { outputs: [OUTPUT, { ...OUTPUT, name: 'other' }] }));
    expect(kafka.topicsAsked).toBe(1);
    expect(kafka.done.filter((what) => what.startsWith('init'))).toHaveLength(2);
  });

  it('wait for all of it no longer than one deadline, and not at all for whoever leaves', async () => {
    const kafka = new FakeKafka();
    kafka.topicsAnswered = new Promise(() => undefined);
    expect(await codeOf(claim(outputs(kafka, { claimTimeoutMs: 50 })))).toBe('KAFKA_UNREACHABLE');
    const leave = new AbortController();
    const left = codeOf(outputs(kafka, {}).claim(leave.signal));
    leave.abort(new MillraceError('CANCELLED', 'stopped'));
    expect(await left).toBe('CANCELLED');
    expect(kafka.done).toEqual([]);
  });

  it('wait for a Kafka that is away for a moment when they are claimed, and say so', async () => {
    const kafka = new FakeKafka();
    kafka.topicsAnswered = Promise.reject(new MillraceError('KAFKA_UNREACHABLE', 'no broker answers'));
    const claimed = claim(outputs(kafka, {}));
    await kafka.topicsAnswered.catch(() => undefined);
    kafka.topicsAnswered = undefined;
    await claimed;
    expect(kafka.done).toHaveLength(2);
    const what = 'taking over the exactly-once outputs of app';
    expect(kafka.told).toEqual([
      `${what}: no broker answers; waiting up to 5 s`,
      expect.stringContaining(`${what}: Kafka answers again after`),
    ]);
  });

  it('wait in a batch for a Kafka that is away, longer than a start may take', async () => {
    const kafka = new FakeKafka();
    const claimTimeoutMs = 50;
    const all = outputs(kafka, { pending: {}, claimTimeoutMs });
    await claim(all);
    kafka.refusal = new MillraceError('KAFKA_UNREACHABLE', 'no broker answers');
    setTimeout(() => {
      kafka.refusal = undefined;
    }, 4 * claimTimeoutMs);
    await all.begin(OUTPUT, 2);
    expect(kafka.done.at(-1)).toBe(`log ${PREFIX} 2`);
  });

  it('claim again what they do not know the end of, and what an older run has taken meanwhile', async () => {
    const kafka = new FakeKafka();
    kafka.failures.push(
      new MillraceError('TRANSACTION_UNKNOWN', 'no answer'),
      new MillraceError('PRODUCER_FENCED', 'a zombie'),
    );
    await claim(outputs(kafka, { logged: 1 }));
    expect(kafka.done.filter((what) => what.startsWith('init'))).toHaveLength(3);
    expect(kafka.done.at(-1)).toContain('commit');
  });

  it('name the taskTimeout that is longer than the brokers let transactions be open', async () => {
    const kafka = new FakeKafka();
    kafka.refusal = new MillraceError(
      'CONFIG_INVALID',
      'InitProducerId failed: INVALID_TRANSACTION_TIMEOUT',
      {
        details: { kafkaError: 'INVALID_TRANSACTION_TIMEOUT' },
      },
    );
    await expect(claim(outputs(kafka, {}))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      what: expect.stringMatching(
        /^taskTimeout is 1000 ms, .*transaction\.max\.timeout\.ms.*millrace\/app\/out/,
      ),
      remedy: expect.stringContaining('taskTimeout'),
    });
  });

  it('are fenced by a newer run, or when their log is an older copy, and say so', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 9, batchTime: 7, planHash: 'h' });
    await expect(claim(outputs(kafka, {}))).rejects.toMatchObject({
      code: 'FENCED',
      details: { epoch: 5, newer: 9 },
      remedy: expect.stringContaining('older copy'),
    });
    expect(kafka.done).toEqual([`init ${PREFIX}/0`]);
  });

  it('are fenced when an application of this name with another log has them, in whatever epoch', async () => {
    const kafka = new FakeKafka();
    const theirs = { epoch: 1, batchTime: 0, planHash: '', log: 'log-2' };
    kafka.set(0, theirs);
    expect(await codeOf(claim(outputs(kafka, {})))).toBe('FENCED');
    expect(kafka.done).toEqual([`init ${PREFIX}/0`]);
    const other = new FakeKafka();
    other.set(1, theirs);
    const all = outputs(other, { pending: {} });
    await claim(all);
    expect(await codeOf(all.begin(OUTPUT, 2))).toBe('FENCED');
  });

  it('are taken over by a log that begins anew, of which somebody has said so', async () => {
    const kafka = new FakeKafka();
    // A lost log: the epochs of the new one begin at 1.
    for (const task of [0, 1]) kafka.set(task, { epoch: 9, batchTime: 7, planHash: 'h', log: 'log-2' });
    const anew = { isAnew: true } as const;
    await claim(outputs(kafka, anew));
    const mine = (task: number): string =>
      `commit ${PREFIX}/${task} {"v":1,"epoch":5,"batchTime":0,"planHash":"","log":"log-1"}`;
    expect(kafka.done.at(-1)).toBe(mine(0));
    // Of a log that was set aside it is known how many there are.
    const all = new FakeKafka();
    for (const task of [0, 1]) all.set(task, { epoch: 4, batchTime: 7, planHash: 'h' });
    await claim(outputs(all, { ...anew, logged: 2 }));
    expect(all.done.toSorted().slice(0, 2)).toEqual([mine(0), mine(1)]);
    // Another run, when a batch was planned: of what it has claimed itself, nobody else may have anything.
    const next = outputs(kafka, { ...anew, pending: {} });
    await claim(next);
    kafka.done.length = 0;
    await next.begin(OUTPUT, 2);
    expect(kafka.done).toEqual([`init ${PREFIX}/1`, mine(1), `log ${PREFIX} 2`]);
    kafka.set(1, { epoch: 1, batchTime: 7, planHash: 'h', log: 'log-3' });
    expect(await codeOf(claim(outputs(kafka, { ...anew, pending: {}, logged: 2 })))).toBe('FENCED');
    kafka.set(0, { epoch: 6, batchTime: 7, planHash: 'h' });
    expect(await codeOf(claim(outputs(kafka, anew)))).toBe('FENCED');
  });

  it.each([
    ['is claimed', {}, NOW],
    ['is claimed, with a batch pending', { pending: {} }, NOW - 1],
    ['is claimed, and whose log knows none', { lastCommitted: 0 }, 1],
  ])('refuse one that has a batch which the log does not know, when it %s', async (_, given, batchTime) => {
    const kafka = new FakeKafka();
    // As when an older copy of the log is put back.
    kafka.set(0, { epoch: 4, batchTime, planHash: 'h' });
    const older = { logged: 1, lastCommitted: NOW - 2, ...given };
    await expect(claim(outputs(kafka, older))).rejects.toMatchObject({
      code: 'OUTPUT_CONFLICT',
      what: expect.stringContaining('which the log of the application does not know'),
    });
    // Whoever has the newer copy goes on: nothing says that this one has taken over.
    expect(kafka.done).toEqual([`init ${PREFIX}/0`]);
  });

  it('refuse such a batch of an id that they have not had before, before its task runs', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    kafka.set(1, { epoch: 4, batchTime: NOW - 1, planHash: 'h' });
    const all = outputs(kafka, { pending: {}, logged: 1, lastCommitted: NOW - 2 });
    await claim(all);
    kafka.done.length = 0;
    expect(await codeOf(all.begin(OUTPUT, 2))).toBe('OUTPUT_CONFLICT');
    expect(kafka.done.filter((what) => what.startsWith('log'))).toEqual([]);
  });
});

// How an output of toPostgres goes from run to run, on a real server (postgresUnderTest).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import { embed, startDevBroker } from '@millrace/testing';
import { until } from '../support/until.ts';
import { gated, usePostgresOutput } from '../support/use-postgres-output.ts';

const { postgres, table, attempt, claim, texts, untilOffset } = usePostgresOutput();

describe('a program that was changed while its batch is pending', () => {
  const old = { planHash: 'of the old program' };
  const changed = { planHash: 'of the new program', epoch: 2 };

  it('does not finish what the old one has begun', async () => {
    expect(await attempt('p0 of old', { ...old })).toBe('written');
    expect(await attempt('p1 of new', { ...changed, partition: 1 })).toBe('OUTPUT_CONFLICT');
    expect(await attempt('p1 of old', { ...old, epoch: 3, partition: 1 })).toBe('written');
    expect(await texts()).toEqual(['p0 of old', 'p1 of old']);
  });

  it('writes all of a batch that the old one has not begun', async () => {
    const fail = (): never => {
      throw new Error('unlucky');
    };
    expect(await attempt('p0 of old', { ...old, also: fail })).toBe('Error: unlucky');
    expect(await attempt('p0 of new', changed)).toBe('written');
    expect(await attempt('p1 of new', { ...changed, partition: 1 })).toBe('written');
    expect(await attempt('p1 of old', { ...old, partition: 1 })).toBe('FENCED');
    expect(await texts()).toEqual(['p0 of new', 'p1 of new']);
  });

  it.each([
    ['is refused when a task of the old one that still writes succeeds', undefined, 'OUTPUT_CONFLICT'],
    ['writes when a task of the old one that still writes fails', new Error('unlucky'), 'written'],
  ])('%s', async (_, failure, wanted) => {
    const gate = gated();
    const late = attempt('p0 of old', {
      ...old,
      async also() {
        await gate.pass();
        if (failure) throw failure;
      },
    });
    await gate.reached;
    const next = attempt('p1 of new', { ...changed, partition: 1 });
    await until('one that waits', () => postgres.lockIsAwaited());
    gate.open();
    await late;
    expect(await next).toBe(wanted);
    expect(await texts()).toHaveLength(1);
  });

  it('is refused at its start when the old one has begun, and only then', async () => {
    expect(await claim({ epoch: 2, pendingBatch: 1000 })).toBe('claimed');
    expect(await attempt('p0 of old', { ...old, epoch: 2 })).toBe('written');
    expect(await claim({ epoch: 3, pendingBatch: 1000 })).toBe('OUTPUT_CONFLICT');
    expect(await claim({ epoch: 3, pendingBatch: 2000 })).toBe('claimed');
    expect(await claim({ epoch: 3, pendingBatch: 500 })).toBe('OUTPUT_CONFLICT');
    expect(await claim({ epoch: 4 })).toBe('claimed');
  });

  it('goes on with what it has begun itself when its run died in the middle', async () => {
    const mine = { epoch: 3, pendingBatch: 1000, planMark: 'of the new' };
    expect(await attempt('p0 of new', changed)).toBe('written');
    expect(await claim(mine)).toBe('claimed');
    expect(await attempt('p0 of new', { ...changed, epoch: 3 })).toBe('there already');
    expect(await attempt('p1 of new', { ...changed, epoch: 3, partition: 1 })).toBe('written');
    expect(await claim({ ...mine, epoch: 4, planMark: 'of the old' })).toBe('OUTPUT_CONFLICT');
    expect(await texts()).toEqual(['p0 of new', 'p1 of new']);
  });
});

describe('a run that takes an output over', () => {
  it('keeps out a task of the run before that wakes up before the first batch, also when nobody ever wrote', async () => {
    expect(await claim({ epoch: 2 })).toBe('claimed');
    expect(await attempt('zombie', { range: [0, 10] })).toBe('FENCED');
    expect(await attempt('first', { range: [0, 10], epoch: 2 })).toBe('written');
    expect(await claim({ epoch: 3 })).toBe('claimed');
    expect(await attempt('zombie', { range: [0, 10], epoch: 2, partition: 1 })).toBe('FENCED');
    expect(await attempt('zombie', { range: [10, 20], epoch: 2, time: 2000 })).toBe('FENCED');
    expect(await claim({ epoch: 2 })).toBe('FENCED');
    expect(await texts()).toEqual(['first']);
  });

  it('does not when it has another log, in whatever epoch, unless it begins anew', async () => {
    const other = { log: 'another' };
    expect(await claim({ epoch: 1 })).toBe('claimed');
    expect(await claim({ epoch: 1, ...other })).toBe('FENCED');
    expect(await attempt('p0 of another', { epoch: 1, ...other })).toBe('FENCED');
    expect(await attempt('p0', { epoch: 1 })).toBe('written');
    expect(await claim({ epoch: 5 })).toBe('claimed');
    // As after a loss of the log: its epochs begin anew, and may pass those of the output.
    expect(await claim({ epoch: 6, ...other })).toBe('FENCED');
    expect(await claim({ epoch: 1, ...other, isAnew: true })).toBe('claimed');
    expect(await attempt('p1', { epoch: 9, partition: 1 })).toBe('FENCED');
    expect(await claim({ epoch: 2, ...other })).toBe('claimed');
    expect(await claim({ epoch: 1, ...other, isAnew: true })).toBe('FENCED');
    expect(await texts()).toEqual(['p0']);
  });

  it('writes what it reads again when it has begun anew, where that fits', async () => {
    expect(await attempt('p0 of 1', { range: [0, 10], epoch: 7 })).toBe('written');
    expect(await attempt('p1 of 1', { range: [0, 10], epoch: 7, partition: 1 })).toBe('written');
    const anew = { log: 'another', epoch: 1, time: 2000 };
    expect(await claim({ ...anew, isAnew: true })).toBe('claimed');
    expect(await attempt('p0 of 2', { ...anew, range: [10, 20] })).toBe('written');
    // Offsets that do not go on where the table says are an error on purpose.
    expect(await attempt('p1 again', { ...anew, range: [0, 20], partition: 1 })).toBe('OUTPUT_CONFLICT');
    expect(await attempt('zombie', { epoch: 7, range: [10, 20], partition: 1 })).toBe('FENCED');
    expect(await texts()).toEqual(['p0 of 1', 'p0 of 2', 'p1 of 1']);
  });

  it('does not when it has a batch which the log does not know, as when an older copy of that is put back', async () => {
    expect(await attempt('p0', { time: 3000 })).toBe('written');
    expect(await claim({ epoch: 2, lastBatch: 2000 })).toBe('OUTPUT_CONFLICT');
    expect(await attempt('p1', { time: 3000, partition: 1 })).toBe('written');
    expect(await claim({ epoch: 2, lastBatch: 3000 })).toBe('claimed');
  });

  it('does not while another copy of its log runs in the same epoch, whichever of them writes first', async () => {
    const one = { epoch: 2, time: 2000, after: 1000 };
    const other = { epoch: 2, time: 2500, after: 1000 };
    for (const _ of [one, other]) expect(await claim({ epoch: 2, lastBatch: 1000 })).toBe('claimed');
    expect(await attempt('p0 of one', one)).toBe('written');
    expect(await attempt('p0 of the other', other)).toBe('OUTPUT_CONFLICT');
    expect(await attempt('p1 of the other', { ...other, partition: 1 })).toBe('OUTPUT_CONFLICT');
    expect(await attempt('p1 of one', { ...one, partition: 1 })).toBe('written');
    expect(await attempt('p0 of the next', { ...one, time: 3000, after: 2000 })).toBe('written');
    expect(await texts()).toEqual(['p0 of one', 'p0 of the next', 'p1 of one']);
  });

  it('keeps a table that an earlier version has made, with what it says', async () => {
    await attempt('p0', { range: [0, 10], epoch: 3 });
    await postgres.pool.query(`ALTER TABLE ${table()} DROP COLUMN log`);
    expect(await claim({ epoch: 2 })).toBe('FENCED');
    expect(await claim({ epoch: 4 })).toBe('claimed');
    // The earlier version, which does not know of the column, comes back.
    await postgres.pool.query(
      `INSERT INTO ${table()} (application, output, topic, partition, until_offset, epoch, batch_time, plan_hash) VALUES ('app', 'out', 'orders', 1, 7, 3, 1000, 'theirs')`,
    );
    expect(await attempt('p0', { range: [10, 20], epoch: 4, time: 2000 })).toBe('written');
    expect(await attempt('p1', { range: [7, 20], epoch: 4, time: 2000, partition: 1 })).toBe('written');
    expect(await claim({ epoch: 5, log: 'another' })).toBe('FENCED');
  });

  it('waits for such a table no longer than for a row', async () => {
    await attempt('first');
    await postgres.pool.query(`ALTER TABLE ${table()} DROP COLUMN log`);
    const reader = await postgres.pool.connect();
    try {
      await reader.query(`BEGIN; SELECT FROM ${table()}`);
      expect(await attempt('second', { time: 2000, taskTimeoutMs: 1000 })).toBe('OUTPUT_WRITE_FAILED');
      expect(await postgres.lockIsAwaited()).toBe(false);
    } finally {
      reader.release(true);
    }
    expect(await attempt('second', { time: 2000 })).toBe('written');
  }, 20_000);

  it('goes on where the output is', async () => {
    expect(await attempt('p0', { range: [0, 10] })).toBe('written');
    expect(await claim({ epoch: 2 })).toBe('claimed');
    expect(await attempt('p0', { range: [0, 10], epoch: 2 })).toBe('there already');
    expect(await attempt('p1', { range: [0, 10], epoch: 2, partition: 1 })).toBe('written');
    expect(await attempt('older', { range: [10, 20], epoch: 2, time: 500 })).toBe('OUTPUT_CONFLICT');
    expect(await untilOffset()).toBe(10);
  });

  it('waits for a task that still writes, and ends one that stands still', async () => {
    const writing = gated();
    const late = attempt('late', { also: () => writing.pass() });
    await writing.reached;
    const second = claim({ epoch: 2 });
    await until('a claim that waits', () => postgres.lockIsAwaited());
    writing.open();
    expect([await late, await second]).toEqual(['written', 'claimed']);

    const standing = gated();
    const given = { epoch: 2, partition: 1, idleTimeoutMs: 300 };
    const stopped = attempt('stopped', { ...given, also: () => standing.pass() });
    await standing.reached;
    expect(await claim({ epoch: 3 })).toBe('claimed');
    standing.open();
    expect(await stopped).toBe('OUTPUT_WRITE_FAILED');
    expect(await texts()).toEqual(['late']);
  });

  it('does so when it starts, before it plans anything', async () => {
    const broker = await startDevBroker();
    const stateDir = mkdtempSync(join(tmpdir(), 'millrace-take-over-'));
    try {
      broker.createTopic('in', { partitions: 1 });
      // Its first batch is due tomorrow.
      const job = defineJob({ name: 'app', batchInterval: 24 * 3_600_000 }, (ssc) => {
        const options = { brokers: broker.brokers, groupId: 'g', startFrom: 'earliest' } as const;
        ssc.kafka
          .createDirectStream(
            LocationStrategies.PreferConsistent,
            ConsumerStrategies.Subscribe('in', options),
          )
          .map(({ value }) => value)
          .toPostgres('out', { pool: () => postgres.pool, write: () => undefined, progressTable: table() });
      });
      const owner = async (): Promise<{ readonly epoch: number; readonly log: string }> => {
        const { rows } = await postgres.pool
          .query<{ epoch: string; log: string }>(
            `SELECT epoch, log FROM ${table()} WHERE application = 'app'`,
          )
          .catch(() => ({ rows: [] }));
        return { epoch: Number(rows[0]?.epoch ?? 0), log: rows[0]?.log ?? '' };
      };
      for (const run of [1, 2]) {
        const app = await embed(job, { stateDir });
        await app.start();
        await until(`the claim of run ${run}`, async () => (await owner()).epoch === run);
        expect(await attempt('zombie', { ...(await owner()), epoch: run - 1 })).toBe('FENCED');
        await app.stop();
      }
      expect(await claim({ ...(await owner()), epoch: 9 })).toBe('claimed');
      const fenced = await embed(job, { stateDir });
      await fenced.start();
      await expect(fenced.awaitTermination({ timeoutMs: 10_000 })).rejects.toThrow(
        expect.objectContaining({ code: 'FENCED' }),
      );
    } finally {
      await broker.close();
      rmSync(stateDir, { recursive: true, force: true });
    }
  });
});

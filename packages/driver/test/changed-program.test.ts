import { describe, expect, it } from '@jest/globals';
import { callUnary, contentHash, deadlineIn, type SubmitReply } from '@millrace/proto';
import { planHashOf } from '../src/application/batch/plan-hash.ts';
import { applicationLogOf } from './application-log.ts';
import { bundleOf, type FakeJob, newStateDir, type TestClient, until } from './driver-fixture.ts';
import { useDrivers } from './use-drivers.ts';

const { driverWith } = useDrivers();

const OLD = { name: 'app', prints: 'old' };
const NEW = { name: 'app', prints: 'new' };

/** The application has run with OLD, which has planned a batch and not committed it. */
async function withPendingBatch(old: FakeJob = OLD): Promise<TestClient> {
  const stateDir = await newStateDir();
  const { client } = await driverWith({ stateDir });
  await client.submit(old);
  await client.stop('app', 'KILL');
  const log = applicationLogOf(stateDir);
  const program = { programHash: contentHash(bundleOf(old)), settings: '' };
  const planHash = planHashOf(program, []);
  log.plan({ ...program, batchTime: 1_000, planHash, intervals: 1, inputs: [] });
  log.close();
  return client;
}

/** What hosts have printed and said of epochs, in order. */
async function told(client: TestClient): Promise<readonly string[]> {
  const lines = (await client.logs('app')).map((line) => line.slice(25));
  return lines.filter((line) => /^(old|new)/.test(line));
}

function rollback(client: TestClient, to = ''): Promise<SubmitReply> {
  const request = { application: 'app', to };
  return callUnary('rollback', (done) =>
    client.channel.submission.rollback(request, deadlineIn(30_000), done),
  );
}

describe('a changed program', () => {
  it('goes on when the one before has finished the batch that it had planned', async () => {
    const client = await withPendingBatch();
    const reply = await client.submit(NEW);
    expect(reply.accepted?.notes).toEqual([
      'a note',
      expect.stringMatching(/^batch 1970-01-01T00:00:01.000Z was planned with program [0-9a-f]{12}/),
    ]);
    await until('the new program', async () => (await told(client)).includes('new'));
    expect((await told(client)).slice(-3)).toEqual(['old', 'old finishes', 'new']);
    expect(await client.status('app')).toMatchObject({ state: 'RUNNING', epoch: 3, restarts: 0 });
  });

  it('runs the batch itself when that is asked for, and none when it begins anew', async () => {
    for (const header of [{ withNewProgram: true }, { startAnew: true }]) {
      const client = await withPendingBatch();
      expect((await client.submit(NEW, header)).accepted?.notes).toEqual(['a note']);
      await until('the new program', async () => (await told(client)).includes('new'));
      expect((await told(client)).slice(-1)).toEqual(['new']);
      expect(await told(client)).not.toContain('old finishes');
    }
  });

  it('fails with what can be done when the one before cannot finish the batch', async () => {
    const client = await withPendingBatch({ ...OLD, does: 'fail' });
    await client.submit(NEW);
    await until('the failure', async () => (await client.state('app')) === 'FAILED');
    const { error } = await client.status('app');
    expect(error).toMatchObject({
      code: 'APPLICATION_FAILED',
      remedy: expect.stringContaining('--with-new-program'),
    });
  });

  it('is rolled back without the number of batches that were wanted of the earlier run', async () => {
    const { client } = await driverWith();
    await client.submit(OLD, { configJson: JSON.stringify({ batches: 5 }) });
    await until('the limit', async () =>
      (await client.logs('app')).some((line) => line.endsWith('5 batches')),
    );
    await client.stop('app');
    await client.submit(NEW);
    await client.stop('app');
    await rollback(client);
    await until('the old program', async () => (await told(client)).at(-1) === 'old');
    await client.stop('app');
    expect((await client.logs('app')).filter((line) => line.endsWith('5 batches'))).toHaveLength(1);
  });

  it('is rolled back to the one before it, with what was submitted with that', async () => {
    const client = await withPendingBatch();
    await client.submit(NEW, { withNewProgram: true, environment: { SHOP: 'x' } });
    expect((await rollback(client)).error).toMatchObject({ code: 'APPLICATION_EXISTS' });
    await client.stop('app');
    const { programId, earlierPrograms } = await client.status('app');
    expect(earlierPrograms.map(({ programHash }) => programHash)).toEqual([contentHash(bundleOf(OLD))]);
    expect((await rollback(client, 'ffff')).error).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await rollback(client)).accepted).toMatchObject({ application: 'app' });
    await until('the old program', async () => (await told(client)).at(-1) === 'old');
    expect((await client.status('app')).earlierPrograms.map((program) => program.programId)).toEqual([
      programId,
    ]);
  });
});

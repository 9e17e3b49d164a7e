import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { applicationLogOf } from './application-log.ts';
import { newStateDir, until } from './driver-fixture.ts';
import { useDrivers } from './use-drivers.ts';

const { driverWith } = useDrivers();

describe('an application whose host ends', () => {
  it('starts again after a crash', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'app', does: 'crash', times: 2 });
    await until('two restarts', async () => {
      const { restarts, state, epoch } = await client.status('app');
      return restarts === 2 && state === 'RUNNING' && epoch === 3;
    });
    expect((await client.logs('app')).filter((line) => line.includes('HOST_LOST')).length).toBe(2);
  });

  it('has read what its log says, also what a host that died did not tell of', async () => {
    const { client } = await driverWith();
    const sums = { batches: 3, records: 11_700, undecodable: 2, deleted: 1, deadLetters: 4 };
    await client.submit({ name: 'app', does: 'crash', times: 1, sums: { 2: sums } });
    await until('the second host', async () => (await client.status('app')).epoch === 2);
    const { undecodable: skippedUndecodable, deleted: skippedDeleted, ...others } = sums;
    const status = { ...others, skippedUndecodable, skippedDeleted };
    expect(await client.status('app')).toMatchObject(status);
    await client.stop('app');
    expect(await client.status('app')).toMatchObject(status);
  });

  it('has read in a run what its log says beyond what that said before', async () => {
    const stateDir = await newStateDir();
    const log = applicationLogOf(stateDir);
    log.plan({ batchTime: 1_000, programHash: 'p', planHash: 'h', intervals: 1, inputs: [] });
    log.commit(1_000, { records: 20, tasks: 1, processingMs: 1, undecodable: 2 });
    log.close();
    const { client } = await driverWith({ stateDir });
    const sums = { batches: 3, records: 50, undecodable: 2, deleted: 4, deadLetters: 0 };
    await client.submit({ name: 'app', sums: { 1: sums } });
    await until('its host', async () => (await client.status('app')).epoch === 1);
    expect(await client.status('app')).toMatchObject({
      batches: 2,
      records: 30,
      skippedUndecodable: 0,
      skippedDeleted: 4,
    });
  });

  it('is killed and starts again when it does not answer', async () => {
    const { client } = await driverWith({ hostPingIntervalMs: 50, hostPongTimeoutMs: 300 });
    await client.submit({ name: 'app', does: 'hang' });
    await until('a restart', async () => (await client.status('app')).epoch === 2);
    expect((await client.logs('app')).some((line) => line.includes('HOST_UNRESPONSIVE'))).toBe(true);
  });

  it('has failed when the host says so', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'app', does: 'fail' });
    const events = await client.events('app');
    expect(events.at(-1)?.state).toMatchObject({ state: 'FAILED', error: { code: 'APPLICATION_FAILED' } });
    expect(await client.status('app')).toMatchObject({ state: 'FAILED', error: { what: 'batch 5 failed' } });
  });

  it('is stopped, with the error that says so, when its drain took too long', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'app', does: 'drain-too-long' });
    expect((await client.stop('app')).error?.code).toBe('DRAIN_TIMEOUT');
    const unfinished = { state: 'STOPPED', error: { code: 'DRAIN_TIMEOUT', what: 'batch 5 is not done' } };
    expect(await client.status('app')).toMatchObject(unfinished);
    expect((await client.events('app')).at(-1)?.state).toMatchObject(unfinished);
    // The next run begins with a clean slate.
    await client.submit({ name: 'app' });
    expect(await client.status('app')).toMatchObject({ state: 'RUNNING', error: null });
    expect((await client.stop('app')).status?.state).toBe('STOPPED');
  });

  it('goes on with the next driver when the drain for the end of this one took too long', async () => {
    const stateDir = await newStateDir();
    const { driver, client } = await driverWith({ stateDir });
    await client.submit({ name: 'app', does: 'drain-too-long' });
    await driver.stop({ graceful: true });
    const next = await driverWith({ stateDir });
    await until('the resumed application', async () => (await next.client.status('app')).epoch === 2);
  });

  it('starts again a few times, each time saying why, and how often it has', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'app', does: 'crash', times: 2 });
    await until('the third host', async () => (await client.status('app')).epoch === 3);
    const notices = (await client.events('app', 0, ({ state }) => state?.state === 'RUNNING')).length;
    expect(notices).toBeGreaterThan(0);
    await client.stop('app');
    const told = (await client.events('app')).flatMap(({ notice }) => (notice ? [notice.text] : []));
    expect(told).toEqual([
      expect.stringMatching(/ended with exit code 3 \[HOST_LOST\]: restart 1 of 5\. .*millrace logs/),
      expect.stringMatching(/ended with exit code 3 \[HOST_LOST\]: restart 2 of 5 in 0\.5 s$/),
    ]);
  });

  it('can be stopped while it pauses, and killed when it does not stop', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'crashing', does: 'crash' });
    await until('a pause', async () => (await client.status('crashing')).restarts >= 2);
    expect((await client.stop('crashing')).status?.state).toBe('STOPPED');
    await client.submit({ name: 'stubborn', does: 'never-stop' });
    expect((await client.stop('stubborn', 'DRAIN', 100)).error?.code).toBe('DEADLINE_EXCEEDED');
    expect(await client.state('stubborn')).toBe('STOPPING');
    expect((await client.stop('stubborn', 'KILL')).status?.state).toBe('STOPPED');
  });
});

describe('an application whose log was removed', () => {
  it('has failed, instead of beginning again without a word', async () => {
    const stateDir = await newStateDir();
    const { client } = await driverWith({ stateDir });
    await client.submit({ name: 'app' });
    await client.stop('app');
    await rm(join(stateDir, 'applications', 'app'), { recursive: true });
    const reply = await client.submit({ name: 'app' });
    expect(reply.error?.code).toBe('LOG_CORRUPT');
    expect(await client.state('app')).toBe('FAILED');
  });
});

import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { contentHash, hello, type LaunchTask } from '@millrace/proto';
import type { Driver } from '../src/driver.ts';
import { bundleOf, newStateDir, startTestDriver, TestClient, until } from './driver-fixture.ts';
import { FakeExecutor, fakeBlocks } from './fake-executor.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function driverWith(
  options: Parameters<typeof startTestDriver>[0] = {},
): Promise<{ driver: Driver; client: TestClient }> {
  const driver = await startTestDriver(options);
  stops.push(() => driver.stop({ graceful: false }));
  const client = new TestClient(driver.address, options?.token as string | undefined);
  stops.push(() => client.channel.close());
  return { driver, client };
}
function executor(options: ConstructorParameters<typeof FakeExecutor>[0]): FakeExecutor {
  const started = new FakeExecutor(options);
  stops.push(() => started.kill());
  return started;
}

describe('submitting to a driver', () => {
  it('answers when the application runs, and stops it as asked', async () => {
    const { client } = await driverWith();
    const reply = await client.submit({ name: 'app', prints: 'hello' });
    expect(reply.accepted).toMatchObject({ application: 'app', epoch: 1, notes: ['a note'] });
    expect(await client.status('app')).toMatchObject({ state: 'RUNNING', epoch: 1, restarts: 0 });
    const watching = client.events('app');
    const stopped = await client.stop('app');
    expect(stopped.status?.state).toBe('STOPPED');
    const states = (await watching).flatMap(({ state }) => (state ? [state.state] : []));
    expect(states).toEqual(['SUBMITTED', 'STARTING', 'RUNNING', 'STOPPING', 'STOPPED']);
    const log = (await client.logs('app')).map((line) => line.slice(25));
    // Output comes through a pipe: its place among the states is not fixed.
    expect(log.filter((line) => line === line.toUpperCase())).toEqual(states);
    expect(log).toContain('stopping: drain');
    expect(log).toContain('hello');
    expect((await client.stop('app')).status?.state).toBe('STOPPED');
  });

  it('refuses a name that runs, also when two come at once, and takes it again when it is over', async () => {
    const { client } = await driverWith();
    const replies = await Promise.all([client.submit({ name: 'app' }), client.submit({ name: 'app' })]);
    expect(replies.map((reply) => reply.error?.code ?? 'accepted').toSorted()).toEqual([
      'APPLICATION_EXISTS',
      'accepted',
    ]);
    const named = await client.submit({ name: 'other' }, { name: 'app' });
    expect(named.error?.code).toBe('APPLICATION_EXISTS');
    await client.stop('app', 'KILL');
    const again = await client.submit({ name: 'app' });
    expect(again.accepted?.epoch).toBe(2);
    expect((await client.logs('app')).filter((line) => line.endsWith('SUBMITTED')).length).toBe(2);
  });

  it.each([
    ['a job that its host refuses', { name: 'app', does: 'refuse' }, 'JOB_INVALID'],
    ['a module that ends its process', { name: 'app', does: 'exit-in-module' }, 'HOST_LOST'],
    ['a module that never ends', { name: 'app', does: 'loop-in-module' }, 'HOST_UNRESPONSIVE'],
    ['a name that is no file name', { name: '../app' }, 'BAD_REQUEST'],
    ['a host that ends when it gets its name', { name: 'app', does: 'exit-when-granted' }, 'HOST_LOST'],
  ])('ends %s with its error', async (_what, job, code) => {
    const { client } = await driverWith({ hostPingIntervalMs: 50, hostPongTimeoutMs: 500 });
    const reply = await client.submit(job);
    expect(reply.error?.code).toBe(code);
    if ('does' in job && job.does === 'exit-in-module') expect(reply.error?.what).toContain('why it ended');
  });

  it('refuses, before it runs anything, what is not what it says', async () => {
    const stateDir = await newStateDir();
    const { client } = await driverWith({ stateDir, bundleBytesMax: 1000 });
    const job = { name: 'app' };
    const archive = bundleOf(job);
    const outside = Buffer.from(archive).toString('latin1').replace('job.json', '../b.txt');
    const cases: [Promise<{ error?: { code: string } | null }>, string][] = [
      [client.submit(job, { programHash: contentHash(Buffer.from('other')) }), 'BAD_REQUEST'],
      [client.submit(job, { bundleBytes: 5_000 }), 'MESSAGE_TOO_LARGE'],
      [client.submit(new Uint8Array(3_000_000), { bundleBytes: 10 }), 'MESSAGE_TOO_LARGE'],
      [client.submit(Buffer.from('no archive')), 'BAD_REQUEST'],
      [client.submit(Buffer.from(outside, 'latin1')), 'BAD_REQUEST'],
      [client.submit(job, { configJson: '[1]' }), 'BAD_REQUEST'],
      [client.submit(job, { hello: { ...hello(), protocol: 99 } }), 'VERSION_MISMATCH'],
    ];
    for (const [reply, code] of cases) expect((await reply).error?.code).toBe(code);
    expect(await readdir(join(stateDir, 'bundles'))).toEqual([]);
    await expect(client.status('app')).rejects.toMatchObject({ code: 'APPLICATION_UNKNOWN' });
  });

  it('keeps the programs of what runs or ran, and no others', async () => {
    const stateDir = await newStateDir();
    const { client } = await driverWith({ stateDir });
    const runs = { name: 'app' };
    await client.submit(runs);
    await client.submit({ name: 'app', does: 'refuse' });
    await client.submit({ name: 'other', does: 'refuse' });
    const kept = [contentHash(bundleOf(runs))];
    for (const directory of ['bundles', 'programs'])
      await until(`what is kept in ${directory}`, async () => {
        const entries = await readdir(join(stateDir, directory));
        return JSON.stringify(entries) === JSON.stringify(kept);
      });
  });

  it('gives the host the submitted environment and configuration, but not the driver’s token', async () => {
    process.env['MILLRACE_TOKEN'] = 'secret';
    stops.push(() => delete process.env['MILLRACE_TOKEN']);
    const { client } = await driverWith();
    await client.submit(
      { name: 'app' },
      { configJson: '{"does":"print-environment"}', environment: { SHOP: 'x' } },
    );
    const printed = await client.events('app', 0, ({ output }) => output !== undefined && output !== null);
    expect(printed.at(-1)?.output?.text).toBe('{"SHOP":"x","token":"none"}');
  });
});

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

describe('a job that throws while it is evaluated', () => {
  it('is refused with what it printed before', async () => {
    const { client } = await driverWith();
    const thrown = { name: 'app', does: 'refuse', code: 'JOB_EVALUATION_FAILED', prints: 'a hint' };
    const { error } = await client.submit(thrown);
    expect(error).toMatchObject({ code: 'JOB_EVALUATION_FAILED' });
    expect(error?.what).toBe('the job is refused\nits last output:\na hint');
  });
});

describe('a driver', () => {
  it.each(['applications', 'logs', 'submissions', 'bundles', 'lock'])(
    'names the file that is in the way of its directory %s',
    async (name) => {
      const stateDir = await newStateDir();
      await writeFile(join(stateDir, name), '');
      const refusal = startTestDriver({ stateDir });
      await expect(refusal).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { stateDir } });
      await expect(refusal).rejects.toThrow(join(stateDir, name));
    },
  );

  it('does not wait for a directory that cannot be made', async () => {
    const stateDir = '/proc/nope';
    await expect(startTestDriver({ stateDir })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { stateDir },
    });
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

describe('running tasks', () => {
  it('runs batches on executors, and forwards bytes unread', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0', slots: 2 });
    await client.submit({ name: 'app', tasks: 4, batches: 3 });
    await client.events('app', 0, (event) => event.batchCompleted?.number === 3);
    expect(worker.launched.length).toBe(12);
    const [first] = worker.launched;
    expect(first?.stage.toString()).toBe('stage');
    expect(first?.task.toString()).toMatch(/^task \d$/);
    // A stage is sent once, not with each of its tasks.
    expect(worker.launched.map(({ stage }) => stage.length > 0)).toEqual(
      [1, 2, 3].flatMap(() => [true, false, false, false]),
    );
    expect(await client.status('app')).toMatchObject({ batches: 3, records: 96, lag: 3, lastBatchTime: 300 });
  });

  it('reruns elsewhere what ran on an executor that died', async () => {
    const { driver, client } = await driverWith();
    const dying = executor({ address: driver.address, id: 'e0', run: () => undefined });
    const living = executor({ address: driver.address, id: 'e1' });
    await until('both executors', () => driver.slots === 2);
    await client.submit({ name: 'app', tasks: 4, batches: 1 });
    await until('a task on it', () => dying.launched.length > 0);
    dying.kill();
    const events = await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    expect(events.some(({ notice }) => notice?.text === 'attempt failed: EXECUTOR_LOST')).toBe(true);
    const again = living.launched.find(({ key }) => key?.partition === dying.launched[0]?.key?.partition);
    expect(again?.key?.attempt).toBe(1);
  });

  it('loses an executor that is silent, and tells it so', async () => {
    const { driver } = await driverWith({ executorTimeoutMs: 300, heartbeatIntervalMs: 50 });
    const silent = executor({ address: driver.address, id: 'e0', silent: true });
    await until('registration', () => driver.slots === 1);
    await until('its loss', () => driver.slots === 0 && silent.ended, 2_000);
  });

  it('refuses an executor of another version, and an id that is taken', async () => {
    const { driver } = await driverWith();
    const old = executor({
      address: driver.address,
      id: 'old',
      register: { hello: { ...hello(), nodeMajor: 12 } },
    });
    await until('the refusal', () => old.received.length > 0);
    expect(old.received[0]?.refused?.error?.code).toBe('VERSION_MISMATCH');
    executor({ address: driver.address, id: 'e0' });
    await until('registration', () => driver.slots === 1);
    const twin = executor({ address: driver.address, id: 'e0', register: { pid: 1 } });
    await until('the refusal', () => twin.received.length > 0);
    expect(twin.received[0]?.refused?.error?.code).toBe('BAD_REQUEST');
    expect(driver.slots).toBe(1);
  });

  it('fetches a large result and drops its block; one that is too large fails the set', async () => {
    const { driver, client } = await driverWith({ resultBytesMax: 3_000_000 });
    const blocks = await fakeBlocks(new Uint8Array(2_500_000));
    stops.push(() => blocks.server.close());
    const { address: blockAddress } = blocks;
    let bytes = 2_500_000;
    const run = (launch: LaunchTask) => ({
      resultBlock: { blockId: `b-${launch.key?.partition}`, bytes, blockAddress },
    });
    const worker = executor({ address: driver.address, id: 'e0', run });
    await client.submit({ name: 'app', tasks: 1, batches: 1 });
    await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    expect((await client.status('app')).records).toBe(2_500_000);
    await until('the drop', () =>
      worker.received.some(({ dropBlocks }) => dropBlocks?.blockIds[0] === 'b-0'),
    );
    bytes = 4_000_000;
    await client.submit({ name: 'large', tasks: 1, batches: 1 });
    const events = await client.events('large');
    expect(events.at(-1)?.state?.error?.code).toBe('RESULT_TOO_LARGE');
  });

  it('tells hosts where the blocks of a task are, and executors to drop what a batch of theirs shuffled', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0', register: { blockAddress: 'far:7' } });
    await client.submit({ name: 'app', does: 'print-places', tasks: 1, batches: 1, dropsShuffle: true });
    await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    await until('the place', async () =>
      (await client.logs('app')).some((line) => line.endsWith('e0 at far:7')),
    );
    const prefixes = worker.received.flatMap(({ dropBlocks }) => (dropBlocks ? [dropBlocks.prefix] : []));
    expect(prefixes).toEqual(['shuffle/app/1/100/']);
  });

  it('serves programs and blobs by hash, and drops what an epoch left when its host ends', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0' });
    const job = { name: 'app', blob: 'b'.repeat(64), tasks: 1, pauseMs: 1000 };
    await client.submit(job);
    await client.events('app', 0, ({ output }) => output?.text.startsWith('blob') === true);
    const content = async (hash: string): Promise<Buffer> => {
      const parts: Buffer[] = [];
      const call = client.channel.programs.get({ hash });
      for await (const { data } of call as AsyncIterable<{ data: Buffer }>) parts.push(data);
      return Buffer.concat(parts);
    };
    expect((await content(job.blob)).toString()).toBe('content of a broadcast');
    const archive = bundleOf(job);
    expect((await content(contentHash(archive))).equals(archive)).toBe(true);
    await expect(content('../../driver.lock')).rejects.toThrow(/PROGRAM_MISSING/);
    await client.stop('app', 'KILL');
    await expect(content(job.blob)).rejects.toThrow(/PROGRAM_MISSING/);
    await until('the drop', () =>
      worker.received.some(({ dropApplication }) => dropApplication?.belowEpoch === 2),
    );
  });
});

describe('watching an application', () => {
  it('goes on after the last event that was seen, and follows the log to its end', async () => {
    const { client } = await driverWith();
    const { accepted } = await client.submit({ name: 'app' });
    const after = accepted?.eventSequence ?? 0;
    const following = client.logs('app', true);
    const watching = client.events('app', after);
    await client.stop('app');
    const events = await watching;
    expect(events[0]?.sequence).toBe(after + 1);
    expect(events.at(-1)?.state?.state).toBe('STOPPED');
    expect((await following).at(-1)).toContain('STOPPED');
  });

  it('shows what the module printed and the checks noticed before it ran, and keeps the engine’s log apart', async () => {
    const { client } = await driverWith();
    const { accepted } = await client.submit({ name: 'app', checks: 'a large capture' });
    expect(accepted?.notes).toEqual(['a note', 'a large capture']);
    await until('the line', async () =>
      (await client.logs('app')).some((line) => line.endsWith('evaluated')),
    );
    await client.stop('app');
    const events = await client.events('app', accepted?.eventSequence ?? 0);
    expect(events.flatMap(({ output }) => (output ? [output.text] : []))).toEqual([
      'evaluated',
      'stopping: drain',
    ]);
    expect(events.flatMap(({ notice }) => (notice ? [notice] : []))).toMatchObject([
      { level: 'warn', text: 'a large capture' },
    ]);
    expect((await client.logs('app')).filter((line) => line.endsWith('a large capture'))).toHaveLength(1);
  });

  it('says that it knows no such application', async () => {
    const { client } = await driverWith();
    await client.submit({ name: 'page-views' });
    await expect(client.events('page-view')).rejects.toThrow(/Did you mean page-views/);
    await expect(client.logs('x')).rejects.toThrow(/APPLICATION_UNKNOWN/);
    expect((await client.stop('x')).error?.code).toBe('APPLICATION_UNKNOWN');
  });
});

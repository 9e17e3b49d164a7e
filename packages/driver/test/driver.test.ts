import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contentHash, hello } from '@millrace/proto';
import { bundleOf, newStateDir, startTestDriver, until } from './driver-fixture.ts';
import { useDrivers } from './use-drivers.ts';

const { driverWith, onEnd } = useDrivers();

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
    onEnd(() => delete process.env['MILLRACE_TOKEN']);
    const { client } = await driverWith();
    await client.submit(
      { name: 'app' },
      { configJson: '{"does":"print-environment"}', environment: { SHOP: 'x' } },
    );
    const printed = await client.events('app', 0, ({ output }) => output !== undefined && output !== null);
    expect(printed.at(-1)?.output?.text).toBe('{"SHOP":"x","token":"none"}');
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

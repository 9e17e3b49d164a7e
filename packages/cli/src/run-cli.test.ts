import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { Interrupts } from './interrupts.ts';
import { runCli } from './run-cli.ts';
import { createTerminal, type Environment } from './terminal.ts';
import { type FakeDriver, type FakeDriverScript, startFakeDriver } from './testing/fake-driver.ts';

let dir = '';
let driver: FakeDriver | undefined;
let interrupts = new Interrupts(systemClock, () => undefined);

/** Runs a command line and gives what it wrote. */
async function run(argv: readonly string[], env: Environment = {}) {
  let out = '';
  let err = '';
  const exitCode = await runCli(argv, {
    terminal: createTerminal({ write: (text) => (out += text) }, { write: (text) => (err += text) }, env),
    env,
    cwd: dir,
    clock: systemClock,
    interrupts,
  });
  return { exitCode, out, err };
}

async function withDriver(script: FakeDriverScript): Promise<Environment> {
  driver = await startFakeDriver(script);
  return { MILLRACE_DRIVER: driver.address };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  interrupts = new Interrupts(systemClock, () => undefined);
});
afterEach(async () => {
  await driver?.close();
  driver = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('usage', () => {
  it('prints the exit codes with the help, of every command too, and ends in 0', async () => {
    for (const argv of [['--help'], ['submit', '--help'], ['help', 'stop']]) {
      const { exitCode, out, err } = await run(argv);
      expect([exitCode, err]).toEqual([0, '']);
      expect(out).toContain('  130  ended by SIGINT (Ctrl-C)');
    }
  });

  it('ends in 2 without a command, with the help', async () => {
    const { exitCode, err } = await run([]);
    expect(exitCode).toBe(2);
    expect(err).toContain('Usage: millrace');
  });

  it('names every unknown flag, with the nearest', async () => {
    const { exitCode, out, err } = await run(['submit', 'job.ts', '--detah', '--nmae=x', '--qqqqqqqqq']);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err.trim().split('\n')).toEqual([
      'error: unknown option --detah; did you mean --detach?',
      'error: unknown option --nmae; did you mean --name?',
      'error: unknown option --qqqqqqqqq',
    ]);
  });

  it('names every wrong value at once', async () => {
    const { exitCode, err } = await run(
      [
        'submit',
        'job.ts',
        '--batches',
        '0',
        '--conf',
        'batchIntervall=1',
        '--conf',
        'batchInterval=soon',
        '--env',
        'NOPE',
      ],
      { MILLRACE_DRIVER: 'nowhere' },
    );
    expect(exitCode).toBe(2);
    expect(err).toMatch(/--batches: expected an integer/);
    expect(err).toMatch(/unknown option "batchIntervall"; did you mean "batchInterval"\?/);
    expect(err).toMatch(/--conf batchInterval: "soon" is not a duration/);
    expect(err).toMatch(/--env: NOPE is not set here/);
    expect(err).toMatch(/MILLRACE_DRIVER: expected host:port, got "nowhere"/);
  });

  it('offers the nearest command', async () => {
    const { exitCode, err } = await run(['sumbit', 'job.ts']);
    expect([exitCode, err]).toEqual([2, "error: unknown command 'sumbit'; Did you mean submit?\n"]);
  });

  it('has no colours without a terminal and colours when forced', async () => {
    expect((await run(['nope'])).err).not.toContain('\u001b[');
    expect((await run(['nope'], { FORCE_COLOR: '1' })).err).toContain('\u001b[31merror:');
  });
});

describe('the cluster', () => {
  it('that cannot be reached ends in 4, also as JSON', async () => {
    const argv = ['list', '--driver', '127.0.0.1:1', '--timeout', '300ms', '--json'];
    const { exitCode, out, err } = await run(argv);
    expect(exitCode).toBe(4);
    expect(err).toMatch(/^error: no answer from 127\.0\.0\.1:1 .*\[DRIVER_UNREACHABLE\]/);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      kind: 'error',
      error: { code: 'DRIVER_UNREACHABLE' },
    });
  });

  it('that asks for a token ends in 5 without it, and answers with one from a file', async () => {
    const env = await withDriver({ token: 'secret' });
    expect((await run(['list'], env)).exitCode).toBe(5);
    writeFileSync(join(dir, 'token'), 'secret\n');
    expect((await run(['list', '--token-file', 'token'], env)).exitCode).toBe(0);
    expect((await run(['list', '--token', 'secret'], { ...env, MILLRACE_TOKEN: 'wrong' })).exitCode).toBe(0);
    expect((await run(['list', '--token', 'a', '--token-file', 'token'], env)).exitCode).toBe(2);
  });

  it('lists applications on standard output, and one JSON document with --json', async () => {
    const env = await withDriver({
      applications: [{ application: 'views', state: 'RUNNING', batches: 1234 }],
    });
    const { out } = await run(['list'], env);
    expect(out).toMatch(/^views +RUNNING .* 1 234 /m);
    expect(out).toContain('no executors');
    const json = JSON.parse((await run(['list', '--json'], env)).out) as unknown;
    expect(json).toMatchObject({ version: 1, applications: [{ application: 'views', batches: 1234 }] });
  });

  it('prints logs', async () => {
    const env = await withDriver({});
    expect((await run(['logs', 'views', '--tail', '2'], env)).out).toBe('line 1\nline 2\n');
  });

  it('stops by draining, at once, or by killing', async () => {
    const env = await withDriver({ applications: [{ application: 'views', state: 'RUNNING' }] });
    expect(await run(['stop', 'views'], env)).toMatchObject({ exitCode: 0, out: 'views STOPPED\n' });
    await run(['stop', 'views', '--now'], env);
    await run(['kill', 'views'], env);
    expect(driver?.stops).toEqual(['DRAIN', 'NOW', 'KILL']);
    expect((await run(['stop', 'views', '--now', '--drain'], env)).exitCode).toBe(2);
    expect((await run(['stop', 'others'], env)).exitCode).toBe(6);
  });
});

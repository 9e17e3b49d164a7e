import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import type { ApplicationEventInit } from '@millrace/proto';
import { type FakeDriver, type FakeDriverScript, startFakeDriver } from '../testing/fake-driver.ts';

// Real processes against a scripted driver: the bundler is native code that jest's realm confuses, and signals are real, too.

const JOB = `import { defineJob } from '@millrace/api';\nexport default defineJob({ name: 'views', batchInterval: 1000 }, () => {});\n`;

const event = (sequence: number, rest: Omit<ApplicationEventInit, 'sequence'>): ApplicationEventInit => ({
  sequence,
  at: 1,
  application: 'views',
  ...rest,
});
const batch = (number: number): Omit<ApplicationEventInit, 'sequence'> => ({
  batchCompleted: { number, records: 10, tasks: 2, lag: 0, processingMs: 5, batchIntervalMs: 1000 },
});
const STOPPED = { state: { state: 'STOPPED' } };

let dir = '';
let driver: FakeDriver | undefined;
const children: ChildProcess[] = [];

/** Starts the command in a process of its own. */
function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const main = new URL('../main.ts', import.meta.url).pathname;
  const flags = ['--conditions=@millrace/source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, main, ...argv], {
    cwd: dir,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ended = Promise.all([exited, text(child.stdout), text(child.stderr)]).then(
    ([exitCode, out, err]) => ({
      exitCode,
      out,
      err,
    }),
  );
  return { child, ended };
}

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => start(argv, env).ended;

async function withDriver(script: FakeDriverScript): Promise<Readonly<Record<string, string>>> {
  driver = await startFakeDriver(script);
  return { MILLRACE_DRIVER: driver.address };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-submit-'));
  writeFileSync(join(dir, 'job.ts'), JOB);
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await driver?.close();
  driver = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('submit', () => {
  it('sends the program with its options and shows batches and output apart', async () => {
    const env = await withDriver({
      events: [
        event(1, { state: { state: 'RUNNING' } }),
        event(2, { output: { text: 'top pages' } }),
        event(3, batch(1)),
        event(4, { output: { text: 'oops', error: true } }),
        event(5, STOPPED),
      ],
    });
    const argv = [
      'submit',
      'job.ts',
      '--batches',
      '7',
      '--conf',
      'taskAttemptsMax=2',
      '--env',
      'A=b=c',
      '--name',
      'views',
    ];
    const { exitCode, out, err } = await run(argv, env);
    expect([exitCode, out]).toEqual([0, 'top pages\n']);
    expect(err.split('\n')).toEqual([
      'views RUNNING',
      '#1 1.0s 10 rec 2/2 tasks lag 0 ✓ 5ms',
      'oops',
      'views STOPPED',
      '',
    ]);
    const [submission] = driver?.submitted ?? [];
    expect(submission?.bytes).toBe(submission?.header.bundleBytes);
    expect(submission?.header).toMatchObject({ name: 'views', environment: { A: 'b=c' } });
    expect(JSON.parse(submission?.header.configJson ?? '')).toEqual({ taskAttemptsMax: '2', batches: '7' });
  });

  it('writes one JSON line an event with --json, and nothing else with --quiet', async () => {
    const env = await withDriver({
      events: [event(1, batch(1)), event(2, { output: { text: 'x' } }), event(3, STOPPED)],
    });
    const { out, err } = await run(['submit', 'job.ts', '--json', '--quiet'], env);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(err).toBe('');
    expect(lines.map(({ version, kind, sequence }) => [version, kind, sequence])).toEqual([
      [1, 'batch', 1],
      [1, 'output', 2],
      [1, 'state', 3],
    ]);
  });

  it('prints the name and leaves with --detach', async () => {
    const env = await withDriver({});
    expect(await run(['submit', 'job.ts', '--detach'], env)).toMatchObject({ exitCode: 0, out: 'views\n' });
  });

  it.each([
    ['USER_CODE', 1],
    ['OFFSET_OUT_OF_RANGE', 7],
  ] as const)('of a job that fails with %s ends in %i', async (code, exitCode) => {
    const error = { code, what: 'it broke', remedy: 'Mend it.' };
    const env = await withDriver({ events: [event(1, { state: { state: 'FAILED', error } })] });
    const result = await run(['submit', 'job.ts'], env);
    expect(result.exitCode).toBe(exitCode);
    expect(result.err).toContain(`error: it broke [${code}]\n  Mend it.`);
  });

  it('of an application that was stopped with its batch unfinished ends in 8', async () => {
    const error = { code: 'DRAIN_TIMEOUT', what: 'the batch was not done' };
    const env = await withDriver({ events: [event(1, { state: { state: 'STOPPED', error } })] });
    const result = await run(['submit', 'job.ts'], env);
    expect(result.exitCode).toBe(8);
    expect(result.err).toContain('error: the batch was not done [DRAIN_TIMEOUT]');
  });

  it('of an application that runs already ends in 6', async () => {
    const env = await withDriver({ refuse: new MillraceError('APPLICATION_EXISTS', 'views is running') });
    expect(await run(['submit', 'job.ts'], env)).toMatchObject({
      exitCode: 6,
      err: 'error: views is running [APPLICATION_EXISTS]\n',
    });
  });

  it('of what is not there, or does not compile, ends in 3 without a driver', async () => {
    expect((await run(['submit', 'none.ts'])).exitCode).toBe(3);
    writeFileSync(join(dir, 'broken.ts'), 'export default {');
    const { exitCode, err } = await run(['submit', 'broken.ts']);
    expect(exitCode).toBe(3);
    expect(err).toMatch(/broken\.ts:1/);
  });

  it('asks the application to drain at the first Ctrl-C and to stop now at the second', async () => {
    const env = await withDriver({
      onStop: (mode) => (mode === 'NOW' ? [event(1, { state: { state: 'STOPPED' } })] : []),
    });
    const { child, ended } = start(['submit', 'job.ts'], env);
    await driver?.followed;
    child.kill('SIGINT');
    await driver?.stopped('DRAIN');
    // Two signals at one moment are one press.
    await setTimeout(300);
    child.kill('SIGINT');
    const { exitCode, err } = await ended;
    expect(exitCode).toBe(130);
    expect(driver?.stops).toEqual(['DRAIN', 'NOW']);
    expect(err).toContain('asking views to finish its batch and stop');
  });

  it('ends in 143 when it was terminated, after the application drained', async () => {
    const env = await withDriver({ onStop: () => [event(1, batch(1)), event(2, STOPPED)] });
    const { child, ended } = start(['submit', 'job.ts'], env);
    await driver?.followed;
    child.kill('SIGTERM');
    const { exitCode, err } = await ended;
    expect(exitCode).toBe(143);
    expect(err).toContain('#1 1.0s');
  });

  it('reconnects when the driver was restarted, after the event that it saw last', async () => {
    const first = await startFakeDriver({ events: [event(1, batch(1))] });
    const port = first.address.split(':')[1] ?? '';
    const running = run(['submit', 'job.ts'], { MILLRACE_DRIVER: first.address });
    await first.followed;
    await first.close();
    driver = await startFakeDriver({
      port: Number(port),
      events: [event(1, batch(1)), event(2, batch(2)), event(3, STOPPED)],
    });
    const { exitCode, err } = await running;
    expect(exitCode).toBe(0);
    expect(err.match(/^#\d/gm)).toEqual(['#1', '#2']);
    expect(err).toMatch(/lost the driver.*the driver is back/s);
  });
});

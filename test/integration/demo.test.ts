// The demonstration as a newcomer runs it (`npm start`), in real processes with the embedded broker.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAlive } from '@millrace/common';

const MAIN = new URL('../../packages/cli/src/main.ts', import.meta.url).pathname;
const DEADLINE_MS = 90_000;

let dir = '';
let demo: ChildProcess | undefined;

function start(...flags: readonly string[]) {
  const node = ['--conditions=@millrace/source', '--disable-warning=ExperimentalWarning'];
  // The embedded broker, whatever Kafka the other tests use.
  const { KAFKA_BROKERS: _, ...env } = process.env;
  const child = spawn(process.execPath, [...node, MAIN, 'demo', ...flags], {
    cwd: dir,
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  demo = child;
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ended = Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { child, ended: ended.then(([exitCode, out, err]) => ({ exitCode, out, err })) };
}

/** Resolves when the first batch is shown. */
function firstBatch(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let shown = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (/^#1 /m.test(shown)) resolve();
    });
  });
}

/** Every process of the header's table is gone. */
function expectNothingRuns(header: string): void {
  const rows = header.matchAll(/^ {2}(?:broker|driver|executor \d|clicks|submit) +(\d+) /gm);
  const pids = [...rows].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(6);
  expect(pids.filter(isAlive)).toEqual([]);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
});
afterEach(() => {
  // Its children end when it does.
  demo?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('the demonstration', () => {
  it(
    'shows batches and results, ends by itself with code 0, and leaves nothing running',
    async () => {
      const { exitCode, out, err } = await start('--batches', '3').ended;
      expect([exitCode, err]).toEqual([0, expect.stringMatching(/^#1 .* rec 4\/4 tasks .*✓/m)]);
      expect(err.match(/^#\d+/gm)).toEqual(['#1', '#2', '#3']);
      expect(out.match(/views of \d+ pages by \d+ users/g)).toHaveLength(3);
      expect(out).toMatch(/^│ \/ +\d+ +\d+ +\d+ ms +user-\d{5} +\d+$/m);
      expectNothingRuns(err);
    },
    DEADLINE_MS,
  );

  it(
    'drains at Ctrl-C, ends with code 130, and leaves nothing running',
    async () => {
      const { child, ended } = start();
      await firstBatch(child);
      child.kill('SIGINT');
      const { exitCode, err } = await ended;
      expect([exitCode, err]).toEqual([
        130,
        expect.stringMatching(/page-views STOPPED\neverything has ended/),
      ]);
      expectNothingRuns(err);
    },
    DEADLINE_MS,
  );
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock, withDeadline } from '@millrace/common';
import { type HostExit, HostProcess } from './host-process.ts';
import type { HostLine } from './output-lines.ts';

// A child of the host's holds the host's standard output and outlives it.
const LEAVES_A_CHILD = `
import { spawn } from 'node:child_process';
const { pid } = spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
console.log(pid);
process.send({ kind: 'ready' });
setTimeout(() => process.exit(7), 200);
`;

const LOG_LINE = '{"level":40,"name":"host","msg":"careful"}';
const LOGS_AND_PRINTS = `
import { writeSync } from 'node:fs';
for (const fd of [1, 2, Number(process.argv[2])]) writeSync(fd, ${JSON.stringify(`${LOG_LINE}\n`)});
process.send({ kind: 'ready' }, () => process.exit(0));
`;

function newHost(entry: string): HostProcess {
  return new HostProcess({
    entry,
    clock: systemClock,
    logger: silentLogger,
    environment: { PATH: process.env['PATH'] },
    pingIntervalMs: 1_000,
    pongTimeoutMs: 10_000,
  });
}

describe('a host process', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-host-process-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is gone when its process is, though a child of it still holds its output', async () => {
    const entry = join(directory, 'host.mjs');
    writeFileSync(entry, LEAVES_A_CHILD);
    const host = newHost(entry);
    const lines: string[] = [];
    const exits: HostExit[] = [];
    const exited = new Promise<void>((resolve) => {
      host.listen({
        message: () => undefined,
        output: ({ text }) => lines.push(text),
        exited(exit) {
          exits.push(exit);
          resolve();
        },
      });
    });
    try {
      await withDeadline(exited, 10_000, 'the exit of the host', systemClock);
      expect(exits).toEqual([{ code: 7, signal: null, unresponsive: false, outOfMemory: false }]);
      expect(lines).toHaveLength(1);
    } finally {
      process.kill(Number(lines[0]), 'SIGKILL');
    }
    // The pipe's end, which came now, is not a second exit.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(exits).toHaveLength(1);
  }, 30_000);

  it('tells what the engine in it logs from what the job prints, whatever that looks like', async () => {
    const entry = join(directory, 'host.mjs');
    writeFileSync(entry, LOGS_AND_PRINTS);
    const host = newHost(entry);
    const lines: HostLine[] = [];
    const exited = new Promise<void>((resolve) => {
      host.listen({
        message: () => undefined,
        output: (line) => lines.push(line),
        exited: () => resolve(),
      });
    });
    await withDeadline(exited, 10_000, 'the exit of the host', systemClock);
    expect(lines.toSorted((a, b) => a.source.localeCompare(b.source))).toEqual([
      { text: LOG_LINE, source: 'logger' },
      { text: LOG_LINE, source: 'stderr' },
      { text: LOG_LINE, source: 'stdout' },
    ]);
  }, 30_000);
});

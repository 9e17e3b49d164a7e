import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock, withDeadline } from '@millrace/common';
import { type HostExit, HostProcess } from './host-process.ts';

// A child of the host's holds the host's standard output and outlives it.
const LEAVES_A_CHILD = `
import { spawn } from 'node:child_process';
const { pid } = spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
console.log(pid);
process.send({ kind: 'ready' });
setTimeout(() => process.exit(7), 200);
`;

describe('a host process', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-host-process-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is gone when its process is, though a child of it still holds its output', async () => {
    const entry = join(directory, 'host.mjs');
    writeFileSync(entry, LEAVES_A_CHILD);
    const host = new HostProcess({
      entry,
      clock: systemClock,
      logger: silentLogger,
      environment: { PATH: process.env['PATH'] },
      pingIntervalMs: 1_000,
      pongTimeoutMs: 10_000,
    });
    const lines: string[] = [];
    const exits: HostExit[] = [];
    const exited = new Promise<void>((resolve) => {
      host.listen({
        message: () => undefined,
        output: (line) => lines.push(line),
        exited(exit) {
          exits.push(exit);
          resolve();
        },
      });
    });
    try {
      await withDeadline(exited, 10_000, 'the exit of the host', systemClock);
      expect(exits).toEqual([{ code: 7, signal: null, unresponsive: false }]);
      expect(lines).toHaveLength(1);
    } finally {
      process.kill(Number(lines[0]), 'SIGKILL');
    }
    // The pipe's end, which came now, is not a second exit.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(exits).toHaveLength(1);
  }, 30_000);
});

import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { OutputLog } from './output-log.ts';
import { streamLogs } from './watch-streams.ts';

/** A caller that reads nothing until it is released. */
class SlowCall extends EventEmitter {
  readonly request = { application: 'a', follow: true, tail: 0 };
  readonly lines: string[] = [];
  isFast = false;
  isOver = false;

  write({ line }: { readonly line?: string }): boolean {
    this.lines.push(line ?? '');
    return this.isFast;
  }

  end(): void {
    this.isOver = true;
  }

  release(): void {
    this.isFast = true;
    this.emit('drain');
  }
}

describe('a followed log', () => {
  it('keeps a bounded text for a slow reader, and says how much it left out', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-watch-'));
    const log = await OutputLog.open({
      path: join(directory, 'a.log'),
      clock: systemClock,
      logger: silentLogger,
      bytesMax: 64 * 1024,
    });
    const application = { journal: { log }, state: 'RUNNING' };
    const call = new SlowCall();
    const over = streamLogs(
      call as unknown as Parameters<typeof streamLogs>[0],
      { get: () => application } as unknown as Parameters<typeof streamLogs>[1],
    );
    for (let line = 0; line < 2_000; line++) log.append('x'.repeat(16_000));
    call.release();
    for (let turn = 0; turn < 100 && call.lines.length < 2; turn++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    application.state = 'STOPPED';
    log.append('the last one');
    await over;
    log.close();
    rmSync(directory, { recursive: true });
    const text = call.lines.reduce((chars, line) => chars + line.length, 0);
    expect(text).toBeLessThan(5 * 1024 * 1024);
    const kept = call.lines.filter((line) => line.endsWith('xxx')).length;
    expect(call.lines).toContainEqual(`… ${2_000 - kept} lines left out: the reader is too slow`);
    expect(call.lines.at(-1)).toContain('the last one');
    expect(call.isOver).toBe(true);
  });
});

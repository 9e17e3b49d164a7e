import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logTail, readableLine } from './log-tail.ts';

describe('the tail of a log', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is the last whole lines, also of a long file', () => {
    const file = join(dir, 'x.log');
    writeFileSync(file, Array.from({ length: 10_000 }, (_, index) => `line ${index} ü`).join('\n'));
    expect(logTail(file, 2)).toEqual(['line 9998 ü', 'line 9999 ü']);
    expect(logTail(file, 100_000)[0]).toMatch(/^line \d+ ü$/);
  });

  it('is empty for an empty file and for none', () => {
    writeFileSync(join(dir, 'empty.log'), '');
    expect(logTail(join(dir, 'empty.log'), 5)).toEqual([]);
    expect(logTail(join(dir, 'none.log'), 5)).toEqual([]);
  });

  it('makes a JSON line readable and leaves others', () => {
    const line = { level: 50, time: 1, pid: 2, msg: 'failed', topic: 'views', err: { message: 'boom' } };
    expect(readableLine(JSON.stringify(line))).toBe('error failed: boom topic=views');
    expect(readableLine('SyntaxError: x')).toBe('SyntaxError: x');
    expect(readableLine('42')).toBe('42');
  });
});

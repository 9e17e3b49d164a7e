import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { makeDirectory, stateDirLost, stateDirProblem } from './state-dir.ts';

const failure = (code: string): Error =>
  Object.assign(new Error(`${code}: it does not work, write`), { code });

describe('a state directory', () => {
  it('is made with those above it, unless something is in its way', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-state-'));
    try {
      await makeDirectory(join(directory, 'a', 'b'));
      await makeDirectory(join(directory, 'a', 'b'));
      writeFileSync(join(directory, 'file'), '');
      await expect(makeDirectory(join(directory, 'file'))).rejects.toThrow(join(directory, 'file'));
      await expect(makeDirectory(join(directory, 'file', 'c'))).rejects.toThrow('ENOTDIR');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('is not waited for where it cannot be made', async () => {
    await expect(makeDirectory('/proc/nope/state')).rejects.toThrow('/proc/nope');
  });

  it.each([
    ['EACCES', 'CONFIG_INVALID', 'Give --state-dir'],
    ['EROFS', 'CONFIG_INVALID', 'Give --state-dir'],
    ['ENOSPC', 'LOG_WRITE_FAILED', 'Make room'],
  ])('that fails with %s is never called a bug', (code, expected, remedy) => {
    const problem = stateDirProblem('/state', failure(code));
    expect(problem).toMatchObject({ code: expected, details: { stateDir: '/state' } });
    expect(problem.what).toContain('/state');
    expect(problem.remedy).toContain(remedy);
  });

  it('that fails later is named, and an error of ours stays what it is', () => {
    expect(stateDirLost('/state/bundles', failure('ENOSPC'))).toMatchObject({
      code: 'LOG_WRITE_FAILED',
      what: expect.stringContaining('/state/bundles'),
      remedy: expect.stringContaining('Make room'),
    });
    const ours = new MillraceError('LOG_CORRUPT', 'x');
    expect(stateDirLost('/state', ours)).toBe(ours);
  });
});

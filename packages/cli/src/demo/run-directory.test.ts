import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRunDirectory } from './run-directory.ts';

const NOW = Date.UTC(2026, 10, 21, 10, 19, 5);
// Above the largest pid that Linux gives.
const DEAD = 2 ** 22 + 1;

describe('the directory of a run', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-runs-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('is named by time and process', () => {
    expect(createRunDirectory(root, NOW, 4711)).toBe(join(root, '20261121-101905-4711'));
  });

  it('replaces the oldest of ten, but not those of living processes or what is not a run', () => {
    mkdirSync(join(root, 'notes'));
    mkdirSync(join(root, `20200101-000000-${process.pid}`));
    for (let day = 10; day < 22; day++) mkdirSync(join(root, `202101${day}-000000-${DEAD}`));
    createRunDirectory(root, NOW, 1);
    const left = readdirSync(root).toSorted();
    expect(left).toContain('notes');
    expect(left).toContain(`20200101-000000-${process.pid}`);
    expect(left.filter((name) => name.startsWith('2021'))).toHaveLength(9);
    expect(left).not.toContain(`20210110-000000-${DEAD}`);
  });
});

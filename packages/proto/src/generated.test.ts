import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const packageDir = join(import.meta.dirname, '..');

function contents(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path.slice(dir.length), readFileSync(path, 'utf8')]),
  );
}

it('has src/gen as `pnpm gen` makes it from protos/', () => {
  const out = mkdtempSync(join(tmpdir(), 'millrace-gen-'));
  try {
    execFileSync(process.execPath, [join(packageDir, 'gen.mjs'), out], { timeout: 60_000 });
    expect(contents(out)).toEqual(contents(join(packageDir, 'src/gen')));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}, 60_000);

import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobBundle } from '@millrace/closures';
import { Bundler } from '../../packages/closures/test/bundler.ts';

const FILES = 25;
/** Comments of very different length: the files are read at different speeds. */
const PADDING = 400_000;

let bundler: Bundler;
const directories: string[] = [];

beforeAll(() => {
  bundler = new Bundler();
});
afterAll(async () => {
  bundler.close();
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;

/** A job of many files that import each other, packages, and packages for their side effects. */
function job(edit: (name: string, text: string) => string = (_name, text) => text): Files {
  const files: Record<string, string> = {
    'package.json': '{"type":"module"}',
    'node_modules/tick/package.json':
      '{"name":"tick","type":"module","exports":{".":"./a.js","./b":"./b.js"}}',
    'node_modules/tick/a.js':
      'globalThis.ticks = [...(globalThis.ticks ?? []), "a"]; export const tick = (x) => x + 1;',
    'node_modules/tick/b.js': 'globalThis.ticks = [...(globalThis.ticks ?? []), "b"];',
  };
  const names = Array.from({ length: FILES }, (_, index) => `lib/m${index}.ts`);
  for (const [index, name] of names.entries()) {
    const next = names[index + 1];
    files[name] = [
      `/* ${'x'.repeat(((index * 7919) % 13) * (PADDING / 13))} */`,
      index % 3 === 0 ? "import 'tick/b';\nimport { tick } from 'tick';" : 'const tick = (x: number) => x;',
      next === undefined ? 'const next = (x: number) => x;' : `import { next } from './m${index + 1}.ts';`,
      `const scale${index}: number = ${index};`,
      `export { run as next };\nconst run = (x: number): number => next(tick(x) * scale${index});`,
      `export class Kind${index} { static of(x: number) { return [x].map((y) => y + scale${index}); } }`,
    ].join('\n');
  }
  const imports = names.map((name, index) => `import { Kind${index} } from './${name}';`).toReversed();
  files['job.ts'] =
    `${imports.join('\n')}\nimport { next } from './lib/m0.ts';\nexport default (x: number) => [next(x), ${names.map((_, i) => `Kind${i}.of(x)`).join(', ')}];\n`;
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, edit(name, text)]));
}

/** The user's own files edited; packages come from the registry as they are. */
function ownFiles(files: Files, edit: (text: string) => string): Files {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, name.endsWith('.ts') ? edit(text) : text]),
  );
}

async function bundle(files: Files, folder: string, by = bundler): Promise<JobBundle> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'millrace-ids-')));
  directories.push(directory);
  const root = join(directory, folder);
  // In another order each time: a directory lists its files in the order of their making.
  const entries = directories.length % 2 === 0 ? Object.entries(files) : Object.entries(files).toReversed();
  for (const [name, text] of entries) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return by.bundle(join(root, 'job.ts'));
}

function idsOf({ manifest }: JobBundle): Map<string, string> {
  return new Map(
    manifest.closures.map(({ id, file, start }) => [`${file}:${start.line}:${start.column}`, id]),
  );
}

describe('the ids of closures and the hash of a program', () => {
  it('are the same at other paths, whichever file is read first', async () => {
    const first = await bundle(job(), 'a');
    const paths = (of: JobBundle): string[] => of.files.map(({ path }) => path);
    for (const folder of ['b', 'deep/er/with-a-long-name', 'c d']) {
      const again = await bundle(job(), folder);
      expect(paths(again)).toEqual(paths(first));
      for (const [index, { path, content }] of again.files.entries())
        expect([path, Buffer.compare(content, first.files[index]?.content ?? Buffer.of())]).toEqual([
          path,
          0,
        ]);
      expect(again.programHash).toBe(first.programHash);
    }
  });

  it('are the same for another user, in another working directory, time zone and language', async () => {
    const first = await bundle(job(), 'a');
    const home = await realpath(await mkdtemp(join(tmpdir(), 'millrace-home-')));
    directories.push(home);
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      USER: 'other',
      TZ: 'Asia/Tokyo',
      LANG: 'tr_TR.UTF-8',
    };
    const other = new Bundler({ cwd: home, env });
    try {
      const again = await bundle(job(), 'b', other);
      expect(again.programHash).toBe(first.programHash);
      expect(again.manifest).toEqual(first.manifest);
    } finally {
      other.close();
    }
  });

  it('are the same with the line endings of Windows', async () => {
    const lines = job((name, text) =>
      !name.endsWith('.ts') ? text : `${text}\nconst text = \`a\nb\`;\nvoid (() => text + \`c\n\`);\n`,
    );
    const { programHash, manifest } = await bundle(
      ownFiles(lines, (text) => text),
      'a',
    );
    const windows = await bundle(
      ownFiles(lines, (text) => text.replaceAll('\n', '\r\n')),
      'a',
    );
    expect(windows.manifest.closures).toEqual(manifest.closures);
    expect(windows.programHash).toBe(programHash);
  });

  it('change only for the lambda that was edited, and for what encloses it', async () => {
    const before = idsOf(await bundle(job(), 'a'));
    const edited = job((name, text) =>
      name === 'lib/m7.ts' ? text.replace('y + scale7', 'y - scale7') : text,
    );
    const after = idsOf(await bundle(edited, 'a'));
    const changed = [...before].filter(([place, id]) => after.get(place) !== id).map(([place]) => place);
    // The arrow, and the class in whose method it stands.
    expect(changed.map((place) => place.split(':')[0])).toEqual(['lib/m7.ts', 'lib/m7.ts']);
    expect(after.size).toBe(before.size);
  });

  it('do not change when lines move, or types and other variables change', async () => {
    const before = await bundle(job(), 'a');
    const moved = await bundle(
      job((name, text) =>
        name === 'lib/m3.ts'
          ? `// a new line\nconst added: number = 1;\n${text.replace(': number => next', ' => next')}\nvoid added;`
          : text,
      ),
      'a',
    );
    const ids = (of: JobBundle): string[] => of.manifest.closures.map(({ id }) => id).toSorted();
    expect(ids(moved)).toEqual(ids(before));
    expect(moved.programHash).not.toBe(before.programHash);
  });

  it('are the same for the same value, and others for another one', async () => {
    const { manifest } = await bundle(job(), 'a');
    const { manifest: renamed } = await bundle(
      job((_name, text) => text.replaceAll('scale4', 'factor4')),
      'a',
    );
    const known = new Set(manifest.closures.map(({ id }) => id));
    const fresh = renamed.closures.filter(({ id }) => !known.has(id));
    expect(new Set(fresh.map(({ file }) => file))).toEqual(new Set(['lib/m4.ts']));
  });
});

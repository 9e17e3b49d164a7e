import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { Bundler } from './bundler.ts';

const directories: string[] = [];
let bundler: Bundler;

beforeAll(() => {
  bundler = new Bundler();
});
afterAll(() => bundler.close());

async function project(files: Record<string, string>): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'millrace-bundle-')));
  directories.push(dir);
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

afterEach(async () => {
  for (const dir of directories.splice(0)) await rm(dir, { recursive: true, force: true });
});

async function refusal(files: Record<string, string>, externals: string[] = []): Promise<MillraceError> {
  const dir = await project(files);
  try {
    await bundler.bundle(join(dir, 'job.ts'), { externals });
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('the bundle was accepted');
}

const JOB = {
  'job.ts':
    "import { helper } from './lib/helper.ts'\nconst k = 2\nexport default (x: number) => helper(x) + k\n",
  'lib/helper.ts': 'export const helper = (x: number): number => x * 3\nexport const other = () => 1\n',
};

describe('bundleJob', () => {
  it('gives relative files, a manifest, and no text of this machine', async () => {
    const dir = await project(JOB);
    const { files, manifest, programHash } = await bundler.bundle(join(dir, 'job.ts'));
    const paths = files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'driver.mjs',
        'executor/closures.mjs',
        'maps/driver.mjs.map',
        'maps/executor/closures.mjs.map',
        'manifest.json',
      ]),
    );
    for (const { content } of files) expect(Buffer.from(content).includes(dir)).toBe(false);
    expect(manifest).toMatchObject({ formatVersion: 1, entry: 'job.ts', programHash });
    expect(Object.keys(manifest.sources)).toEqual(['job.ts', 'lib/helper.ts']);
  });

  it('keeps what user modules do at their top level, also when it looks useless', async () => {
    const files = {
      'job.ts': "import './lib/wait.ts'\nexport default (x: number) => x\n",
      'lib/wait.ts': "if (process.env['NEVER']) while (true) {}\n({}).toString;\nexport const unused = 1\n",
      'package.json': '{"type":"module","sideEffects":false}',
    };
    const { files: bundled } = await bundler.bundle(join(await project(files), 'job.ts'));
    const driver = bundled.find(({ path }) => path === 'driver.mjs');
    const text = new TextDecoder().decode(driver?.content);
    expect(text).toMatch(/while \(true\)/);
    expect(text).toMatch(/toString;/);
  });

  it('refuses a stylesheet at its import', async () => {
    const error = await refusal({ 'job.ts': "import './page.css'\nexport default 1\n", 'page.css': 'a {}' });
    expect(error).toMatchObject({ code: 'BUNDLE_FAILED', details: { file: 'job.ts', line: 1, column: 8 } });
    expect(error.message).toMatch(/'\.\/page\.css' is a stylesheet[\s\S]*fix: remove this import/);
  });

  it('gives the same hash and ids in another directory', async () => {
    const first = await project(JOB);
    const second = await project({});
    await cp(first, second, { recursive: true });
    const [a, b] = [
      await bundler.bundle(join(first, 'job.ts')),
      await bundler.bundle(join(second, 'job.ts')),
    ];
    expect(b.programHash).toBe(a.programHash);
    expect(b.manifest).toEqual(a.manifest);
  });

  it('keeps the ids of closures that were not edited', async () => {
    const before = await bundler.bundle(join(await project(JOB), 'job.ts'));
    const edited = { ...JOB, 'lib/helper.ts': JOB['lib/helper.ts'].replace('() => 1', '() => 2') };
    const after = await bundler.bundle(join(await project(edited), 'job.ts'));
    const ids = (bundle: typeof before): Record<string, string> =>
      Object.fromEntries(bundle.manifest.closures.map(({ name, id }) => [name, id]));
    expect(ids(after)).toMatchObject({ helper: ids(before)['helper'], default: ids(before)['default'] });
    expect(ids(after)['other']).not.toBe(ids(before)['other']);
    expect(after.programHash).not.toBe(before.programHash);
  });

  it('keeps the names of functions and classes that several files have', async () => {
    const text =
      'export class NotFound extends Error { override name = this.constructor.name }\nexport function check() { throw new NotFound() }\n';
    const dir = await project({
      'job.ts':
        "import * as a from './a.ts'\nimport * as b from './b.ts'\nexport default [a, b].map((m) => [m.NotFound.name, m.check.name, new m.NotFound().name])\n",
      'a.ts': text,
      'b.ts': text,
    });
    const { files } = await bundler.bundle(join(dir, 'job.ts'));
    const driver = files.find(({ path }) => path === 'driver.mjs');
    await writeFile(
      join(dir, 'driver.mjs'),
      Buffer.from(driver?.content ?? [])
        .toString()
        .replace(/^import .*closures\/runtime.*$/m, 'const $engine = { c: (f) => f, k() {}, i() {} };'),
    );
    const { default: names } = (await import(join(dir, 'driver.mjs'))) as { default: unknown };
    expect(names).toEqual([1, 2].map(() => ['NotFound', 'check', 'NotFound']));
  });

  it('reports syntax errors of all files with their places', async () => {
    const error = await refusal({ 'job.ts': "import './a.ts'\nlet x =\n", 'a.ts': 'const const = 1\n' });
    expect(error.code).toBe('BUNDLE_FAILED');
    expect(error.what).toMatch(/job\.ts:\d+:\d+/);
  });

  it('reports every unresolved import with its line and a frame', async () => {
    const error = await refusal({
      'job.ts':
        "import a from './nope.ts'\nimport { b } from 'no-such-package'\nconsole.log(a, b, 'from \\'text\\'')\n",
    });
    expect(error.code).toBe('IMPORT_UNRESOLVED');
    expect(error.what).toContain("job.ts:1:15: cannot resolve './nope.ts'");
    expect(error.what).toContain("job.ts:2:19: cannot resolve 'no-such-package'");
    expect(error.details).toMatchObject({ file: 'job.ts', line: 1, problems: 2 });
  });

  it('refuses a missing export', async () => {
    const error = await refusal({
      'job.ts': "import { gone } from './a.ts'\nconsole.log(gone)\n",
      'a.ts': 'export const b = 1\n',
    });
    expect(error.code).toBe('BUNDLE_FAILED');
    expect(error.what).toContain('gone');
  });

  it('refuses a file that is not there', async () => {
    await expect(bundler.bundle('/nowhere/job.ts')).rejects.toMatchObject({ code: 'BUNDLE_FAILED' });
  });

  const NATIVE = {
    'job.ts': "import { speak } from 'native-thing'\nexport default () => speak()\n",
    'node_modules/native-thing/package.json': '{"name":"native-thing","main":"index.js","gypfile":true}',
    'node_modules/native-thing/index.js': "module.exports.speak = () => require('./x.node')",
    'node_modules/native-thing/x.node': 'binary',
  };

  it('refuses a native addon that is not listed', async () => {
    const error = await refusal(NATIVE);
    expect(error.code).toBe('NATIVE_ADDON');
    expect(error.what).toMatch(/job\.ts:1:\d+: package 'native-thing' has a native addon/);
  });

  it('refuses an addon below another package', async () => {
    const error = await refusal({
      ...NATIVE,
      'job.ts': "import wrap from 'wrapper'\nexport default () => wrap()\n",
      'node_modules/wrapper/package.json': '{"name":"wrapper","main":"index.js"}',
      'node_modules/wrapper/index.js': "module.exports = require('native-thing').speak",
    });
    expect(error).toMatchObject({ code: 'NATIVE_ADDON' });
  });

  it('leaves externals to the places where the bundle runs', async () => {
    const dir = await project(NATIVE);
    const { files } = await bundler.bundle(join(dir, 'job.ts'), { externals: ['native-thing'] });
    const driver = files.find((file) => file.path === 'driver.mjs');
    expect(Buffer.from(driver?.content ?? []).toString()).toContain('from "native-thing"');
  });

  it('takes symlinked workspace packages for user code', async () => {
    const dir = await project({
      'job.ts': "import { scale } from 'shared'\nexport default (x: number) => scale(x)\n",
      'packages/shared/package.json': '{"name":"shared","type":"module","exports":"./index.ts"}',
      'packages/shared/index.ts': 'const k: number = 2\nexport const scale = (x: number) => x * k\n',
    });
    await mkdir(join(dir, 'node_modules'));
    await symlink(join(dir, 'packages/shared'), join(dir, 'node_modules/shared'));
    const { manifest } = await bundler.bundle(join(dir, 'job.ts'));
    const names = manifest.closures.map(({ file, name }) => `${file} ${name}`);
    expect(names).toContain('packages/shared/index.ts scale');
  });

  it('imports @millrace packages instead of bundling them', async () => {
    const dir = await project({
      'job.ts': "import { json, type RDD } from '@millrace/api'\nexport default (x: RDD) => json(x)\n",
    });
    const { files, manifest } = await bundler.bundle(join(dir, 'job.ts'));
    const text = files.map((file) => Buffer.from(file.content).toString()).join('\n');
    expect(text).toContain('from "@millrace/api"');
    expect(manifest.imports).toEqual([expect.objectContaining({ specifier: '@millrace/api', name: 'json' })]);
  });
});

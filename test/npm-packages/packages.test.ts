// Packages of npm as if their code were the user's: rewritten, evaluated by the driver, captured, revived in another process.
// What they compute must be what they compute untouched.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Bundler } from '../../packages/closures/test/bundler.ts';
import type { CaseOutcome } from '../../packages/closures/test/harness.ts';
import { runShipped } from '../../packages/closures/test/run-shipped.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 60_000;

interface Source {
  /** What is copied. */
  readonly from: string;
  /** What the specifiers of the scenario become. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** What its author would have to change so that it ships as user code; in the copy only. */
  readonly mended?: readonly (readonly [RegExp, string])[];
  /** Why it does not ship as user code all the same. */
  readonly refused?: RegExp;
}

/** A unique symbol has no identity in another process. */
const UNIQUE_SYMBOLS = [/\bSymbol\((?=['"])/g, 'Symbol.for('] as const;
/** State in a module's `let`, which its functions assign. */
const MODULE_STATE = /assigns to `\w+`, a variable of the driver/;

const SOURCES: Readonly<Record<string, Source>> = {
  'csv-parse': { from: 'lib', specifiers: { 'csv-parse/sync': 'sync.js' } },
  luxon: { from: 'src', specifiers: { luxon: 'luxon.js' }, refused: MODULE_STATE },
  'lodash-es': {
    from: '.',
    specifiers: { 'lodash-es': 'lodash.js' },
    mended: [
      [/var idCounter = 0;/, 'var idCounter = { last: 0 };'],
      [/\+\+idCounter;/, '++idCounter.last;'],
      [/WeakMap && new WeakMap;/, 'new Map;'],
      [/var count = 0,\s+lastCalled = 0;/, 'var hot = { count: 0, last: 0 };'],
      [/\(stamp - lastCalled\)/, '(stamp - hot.last)'],
      [/lastCalled = stamp;/, 'hot.last = stamp;'],
      [/\+\+count >= HOT_COUNT/, '++hot.count >= HOT_COUNT'],
      [/else \{\s+count = 0;/, 'else {\n      hot.count = 0;'],
    ],
  },
  'date-fns': {
    from: '.',
    specifiers: { 'date-fns': 'index.js' },
    mended: [[/defaultOptions = newOptions;/, 'Object.assign(defaultOptions, newOptions);']],
  },
  yaml: { from: 'browser/dist', specifiers: { yaml: 'index.js' }, mended: [UNIQUE_SYMBOLS] },
  acorn: {
    from: 'dist',
    specifiers: { acorn: 'acorn.mjs' },
    mended: [[/warnedAboutEcmaVersion = true;/, '']],
  },
  marked: { from: 'lib', specifiers: { marked: 'marked.esm.js' }, refused: MODULE_STATE },
};

let dir: string;
let bundler: Bundler;
let outcomes: readonly CaseOutcome[];

beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-npm-')));
  mkdirSync(join(dir, 'node_modules'));
  writeFileSync(join(dir, 'package.json'), '{ "name": "as-user-code", "type": "module" }');
  for (const [name, source] of Object.entries(SOURCES)) prepare(name, source);
  writeFileSync(join(dir, 'cases.mts'), casesText());
  bundler = new Bundler();
  // All in one job: what takes time is starting processes.
  outcomes = await runShipped(bundler, join(dir, 'cases.mts'));
}, TIMEOUT_MS);

afterAll(() => {
  bundler.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The scenario twice: with the package as it is, and with a copy of its sources that is the user's own code. */
function prepare(name: string, { from, specifiers, mended = [] }: Source): void {
  const installed = realpathSync(join(ROOT, 'node_modules', name));
  symlinkSync(installed, join(dir, 'node_modules', name));
  cpSync(join(installed, from), join(dir, 'copies', name), {
    recursive: true,
    filter: (path) =>
      !/\.d\.[cm]?ts$|\.cjs$|\.map$|\/tests?$|\/docs$|\/node_modules$/.test(path.slice(installed.length)),
  });
  if (mended.length > 0) mend(join(dir, 'copies', name), mended);
  let text = readFileSync(join(import.meta.dirname, 'scenarios', `${name}.mts`), 'utf8');
  writeFileSync(join(dir, `${name}.original.mts`), text);
  for (const [specifier, file] of Object.entries(specifiers))
    text = text.replaceAll(`from '${specifier}'`, `from './copies/${name}/${file}'`);
  writeFileSync(join(dir, `${name}.copied.mts`), text);
}

function casesText(): string {
  const names = Object.keys(SOURCES);
  const imports = names.map(
    (name, at) =>
      `import original${at} from './${name}.original.mts';\nimport copied${at} from './${name}.copied.mts';`,
  );
  const cases = names.map(
    (name, at) => `'${name} native': { run: async () => text(original${at}()), expect: '' },
  '${name} rewritten': { run: async () => text(copied${at}()), expect: '' },
  '${name} shipped with the package': { run: async ({ ship }) => text(ship(original${at})()), expect: '' },
  '${name} shipped as user code': { run: async ({ ship }) => text(ship(copied${at})()), expect: '' },`,
  );
  return `${imports.join('\n')}
const text = async (result) => JSON.stringify(await result, (_key, value) => (value instanceof RegExp ? String(value) : value));
export default {
  ${cases.join('\n  ')}
};
`;
}

function mend(copy: string, mended: readonly (readonly [RegExp, string])[]): void {
  for (const file of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
    if (!/\.[cm]?[jt]s$/.test(file)) continue;
    const path = join(copy, file);
    const before = readFileSync(path, 'utf8');
    const after = mended.reduce((text, [from, to]) => text.replace(from, to), before);
    if (after !== before) writeFileSync(path, after);
  }
}

/** Where `actual` begins to differ, in a few words. */
function difference(expected: string, actual: string): string {
  if (actual === expected) return 'none';
  if (!actual.startsWith('{')) return actual.slice(0, 2_000);
  let at = 0;
  while (actual[at] === expected[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 60), at + 60);
  return `${around(actual)} instead of ${around(expected)}`;
}

describe('code of npm as user code', () => {
  it('has a scenario for each package', () => {
    const scenarios = readdirSync(join(import.meta.dirname, 'scenarios')).map((name) => name.slice(0, -4));
    expect(scenarios.toSorted()).toEqual(Object.keys(SOURCES).toSorted());
  });

  it.each(Object.entries(SOURCES))(
    '%s computes the same: untouched, rewritten, and revived elsewhere',
    (name, { refused }) => {
      const textOf = (how: string): string =>
        String(outcomes.find((outcome) => outcome.name === `${name} ${how}`)?.actual);
      const native = textOf('native');
      expect(native).toMatch(/^\{".{500}/s);
      expect(difference(native, textOf('rewritten'))).toBe('none');
      expect(difference(native, textOf('shipped with the package'))).toBe('none');
      if (refused) expect(textOf('shipped as user code')).toMatch(refused);
      else expect(difference(native, textOf('shipped as user code'))).toBe('none');
    },
  );
});

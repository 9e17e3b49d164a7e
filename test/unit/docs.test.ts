import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import type { CliContext } from '../../packages/cli/src/cli-context.ts';
import { buildProgram, loadServiceOptions } from '../../packages/cli/src/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function files(...patterns: readonly string[]): readonly string[] {
  const exclude = (path: string) => /(?:^|\/)(?:node_modules|dist)$/.test(path);
  return globSync(patterns, { cwd: ROOT, exclude }).toSorted();
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = files('*.md', 'docs/**/*.md', 'deploy/**/*.md', 'examples/*.md');

/** Fenced blocks of one language, and the page without any fenced block. */
function blocks(page: string, language: string): readonly string[] {
  return [...read(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, found, text = '']) =>
    found === language ? [text.trimEnd()] : [],
  );
}

/** Flags of each command that `--help` shows. */
async function commands(): Promise<ReadonlyMap<string, readonly string[]>> {
  const cli = { env: {}, cwd: ROOT, clock: systemClock } as unknown as CliContext;
  const services = { ...(await loadServiceOptions(['driver'])), ...(await loadServiceOptions(['executor'])) };
  const program = buildProgram(cli, services);
  const shown = program.createHelp().visibleCommands(program);
  return new Map(
    shown.map((command) => [
      command.name(),
      [
        '--help',
        ...[command, ...command.commands].flatMap((each) => each.options.map(({ long }) => long ?? '')),
      ],
    ]),
  );
}

/** Command lines of `millrace` in a page: "submit job.ts --name x". */
function commandLines(page: string): readonly string[] {
  const shell = [
    ...blocks(page, 'sh'),
    ...blocks(page, 'text').flatMap((text) => text.match(/^\$ .*$/gm) ?? []),
  ];
  const inline = [...prose(page).matchAll(/`(millrace [^`]+)`/g)].map(([, line = '']) => line);
  return [...shell.join('\n').split('\n'), ...inline].flatMap((line) => {
    const [, called] = /(?:^|\s)millrace ([a-z][^#|]*)/.exec(line.replace(/ # .*$/, '')) ?? [];
    return called === undefined ? [] : [called.trim()];
  });
}

const prose = (page: string): string => read(page).replaceAll(/^```.*?^```$/gms, '');

/** As GitHub makes them of headings. */
function anchors(page: string): readonly string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): readonly string[] {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchors(file).includes(anchor);
  });
}

/** Whether the lines of `block` stand in `text` one after the other, all indented by as much. */
function contains(text: string, block: string): boolean {
  const wanted = block.split('\n');
  const lines = text.split('\n');
  return lines.some((line, start) => {
    const indent = line.slice(0, line.length - line.trimStart().length);
    return wanted.every((each, index) => lines[start + index] === (each === '' ? '' : indent + each));
  });
}

describe('the pages', () => {
  it('name every example', () => {
    const examples = readdirSync(join(ROOT, 'examples'));
    expect(examples.length).toBeGreaterThan(5);
    expect(examples.filter((name) => !read('README.md').includes(`](examples/${name})`))).toEqual([]);
  });

  it.each(PAGES)('%s links to files and headings that exist', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  // The compiler and the linter see the examples; some of them run in test/integration.
  // Those of the operators are checked by their own test.
  it.each(PAGES.filter((page) => page !== 'docs/operators.md'))(
    '%s shows TypeScript that stands in a file of examples/',
    (page) => {
      const examples = files('examples/**/*.ts').map((file) => read(file));
      const strangers = blocks(page, 'ts').filter((block) => !examples.some((text) => contains(text, block)));
      expect(strangers).toEqual([]);
    },
  );

  it.each(PAGES)(
    '%s calls commands that `millrace --help` shows, with flags that they have',
    async (page) => {
      const known = await commands();
      const wrong = commandLines(page).filter((line) => {
        const [name = '', ...rest] = line.split(/\s+/);
        const flags = rest.filter((word) => word.startsWith('--')).map((flag) => flag.split('=')[0] ?? '');
        return !flags.every((flag) => known.get(name)?.includes(flag)) || !known.has(name);
      });
      expect(wrong).toEqual([]);
    },
  );

  it('name source files that exist', () => {
    const sources = files('packages/**/*.{ts,proto}', 'test/**/*.{ts,mjs}', 'tools/**', 'examples/**/*.ts');
    const named = [...prose('ARCHITECTURE.md').matchAll(/`([\w@./-]+\.(?:ts|proto))`/g)];
    expect(named.length).toBeGreaterThan(10);
    const missing = named.filter(
      ([, name = '']) =>
        !sources.some((file) =>
          `/${file.replaceAll('/src/', '/')}`.endsWith(`/${name.replaceAll('/src/', '/')}`),
        ),
    );
    expect(missing.map(([, name]) => name)).toEqual([]);
  });
});

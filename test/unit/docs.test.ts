import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function files(...patterns: readonly string[]): readonly string[] {
  const exclude = (path: string) => /(?:^|\/)(?:node_modules|dist)$/.test(path);
  return globSync(patterns, { cwd: ROOT, exclude }).toSorted();
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = files('*.md', 'docs/**/*.md', 'deploy/**/*.md');

/** Fenced blocks of one language, and the page without any fenced block. */
function blocks(page: string, language: string): readonly string[] {
  return [...read(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, found, text = '']) =>
    found === language ? [text.trimEnd()] : [],
  );
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
  it.each(PAGES)('%s links to files and headings that exist', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  // The compiler and the linter see the examples; some of them run in test/integration.
  it.each(PAGES)('%s shows TypeScript that stands in a file of examples/', (page) => {
    const examples = files('examples/**/*.ts').map((file) => read(file));
    const strangers = blocks(page, 'ts').filter((block) => !examples.some((text) => contains(text, block)));
    expect(strangers).toEqual([]);
  });

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

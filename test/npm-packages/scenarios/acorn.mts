import {
  getLineInfo,
  isIdentifierStart,
  Parser,
  parse,
  parseExpressionAt,
  tokenizer,
  tokTypes,
  version,
} from 'acorn';

const SOURCE = `#!/usr/bin/env node
import a, { b as c, "string name" as d } from 'x' with { type: 'json' };
export * as ns from 'y';
export default class A extends (class {}) { static #p = 1; get [k]() { return this.#q?.(...args) ?? new.target } #q; static { await0: for (;;) break await0 } }
async function* f({ x = 1, ...rest }, [y, , z] = []) { for await (const t of g()) yield* t; try { await x } catch { } finally { } }
label: while (true) { if (a) continue label; else switch (b) { case 1: default: } }
const t = tag\`a\${1 + \`n\${2}\`}b\\u{1F600}\`, r = /(?<y>\\d{4})-\\k<y>/dgu, n = 1_000n, o = { __proto__: null, async *m() {}, 'q': 0x1F, set s(v) {} };
a ||= b ** c ** d; x = y => ({ z: y }), async (p) => await p; delete a?.b?.[c]; void 0; import.meta.url; import('z');
`;

/** A class of the package is extended, as its plugins do. */
const Counting = Parser.extend(
  (Base) =>
    class extends (Base as unknown as new (
      ...args: unknown[]
    ) => { finishNode(node: { type: string }, type: string): unknown }) {
      override finishNode(node: { type: string }, type: string): unknown {
        counts.set(type, (counts.get(type) ?? 0) + 1);
        return super.finishNode(node, type);
      }
    } as never,
);
const counts = new Map<string, number>();

export default function scenario(): unknown {
  counts.clear();
  const comments: unknown[] = [];
  const options = { ecmaVersion: 'latest', sourceType: 'module', locations: true } as const;
  const tree = parse(SOURCE, { ...options, onComment: (block, text) => void comments.push([block, text]) });
  Counting.parse(SOURCE, options);
  const failures = [
    'let a; let a',
    'a b',
    'return',
    '/(/',
    '"\\u{110000}"',
    'class { }',
    'await x',
    '({a:1,get})',
    'x = {a = 1}',
  ].map((text) => {
    try {
      parse(text, { ecmaVersion: 2022 });
      return 'fine';
    } catch (error) {
      const { name, message, pos, loc } = error as SyntaxError & { pos: number; loc: unknown };
      return [error instanceof SyntaxError, name, message, pos, { ...(loc as object) }];
    }
  });
  return {
    tree: JSON.stringify(tree, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    counts: [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    tokens: [...tokenizer('a => `x$\u007b1}` / 2 // c', { ecmaVersion: 'latest' })].map(({ type, value }) => [
      type.label,
      value instanceof RegExp ? 're' : value,
    ]),
    expression: parseExpressionAt('1 + (2, 3) ; rest', 0, { ecmaVersion: 'latest' }).end,
    failures,
    comments,
    info: { ...getLineInfo('a\nb\r\nc', 5) },
    kinds: [isIdentifierStart(0x61), tokTypes.name.label, version],
  };
}

import type { FixedRead } from '../manifest.ts';
import { contains, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

const CLOCKS = new Set([
  'Date.now',
  'performance.now',
  'process.hrtime',
  'process.hrtime.bigint',
  'process.uptime',
]);
const RANDOMS = new Set(['Math.random', 'crypto.randomUUID', 'crypto.getRandomValues']);
const CRYPTO_RANDOMS = new Set(['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues']);
const TEXT_MAX = 60;

/** The calls of a module whose result is another one each time: of the clock, of randomness. */
export class FixedReads {
  readonly #tree: SyntaxTree;
  readonly #found: { readonly node: SyntaxNode; readonly source: FixedRead['source'] }[] = [];

  constructor(tree: SyntaxTree) {
    this.#tree = tree;
    const names = declaredNames(tree);
    for (const node of tree.nodes) {
      const source = sourceOf(names, node);
      if (source !== undefined) this.#found.push({ node, source });
    }
  }

  /** The first that the evaluation of `init` makes; those in nested functions happen later, perhaps elsewhere. */
  within(init: SyntaxNode): FixedRead | undefined {
    const read = this.#found.find(({ node }) => contains(init, node) && !this.#isDeferred(node, init));
    if (read === undefined) return undefined;
    const { start, end } = read.node;
    return { source: read.source, text: shortText(this.#tree.code.slice(start, end)) };
  }

  #isDeferred(node: SyntaxNode, init: SyntaxNode): boolean {
    for (let at: SyntaxNode | undefined = node; at !== undefined; at = this.#tree.parentOf(at)) {
      if (isFunction(at)) return true;
      if (at === init) return false;
    }
    return false;
  }
}

/** Names that the module declares anywhere: they are not the globals. For imports, where they come from. */
function declaredNames(tree: SyntaxTree): Map<string, string> {
  const names = new Map<string, string>();
  for (const node of tree.nodes) {
    if (node.type === 'ImportDeclaration') {
      for (const { local } of node.specifiers) names.set(local.name, String(node.source.value));
    } else if (node.type === 'VariableDeclarator') {
      if (node.id.type === 'Identifier') names.set(node.id.name, '');
    } else if (isFunction(node)) {
      for (const parameter of node.params) if (parameter.type === 'Identifier') names.set(parameter.name, '');
    }
  }
  return names;
}

function sourceOf(names: ReadonlyMap<string, string>, node: SyntaxNode): FixedRead['source'] | undefined {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return undefined;
  const path = dottedName(node.callee);
  if (path === undefined) return undefined;
  const [first = '', ...rest] = path.split('.');
  const module = names.get(first);
  if (module !== undefined) {
    const isRandom = /^(?:node:)?crypto$/.test(module) && CRYPTO_RANDOMS.has(rest.at(-1) ?? first);
    return isRandom ? 'random' : undefined;
  }
  // `Date()` and `new Date()` are now; `new Date(0)` is not.
  if (path === 'Date')
    return node.type === 'CallExpression' || node.arguments.length === 0 ? 'clock' : undefined;
  if (CLOCKS.has(path)) return 'clock';
  return RANDOMS.has(path) ? 'random' : undefined;
}

function dottedName(node: SyntaxNode): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier')
    return undefined;
  const holder = dottedName(node.object);
  return holder === undefined ? undefined : `${holder}.${node.property.name}`;
}

function shortText(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= TEXT_MAX ? line : `${line.slice(0, TEXT_MAX)}…`;
}

import { type AnyNode, type ClassDeclaration, type Program, parse } from 'acorn';

export type SyntaxNode = AnyNode;
export type FunctionNode = Extract<
  SyntaxNode,
  { type: 'ArrowFunctionExpression' | 'FunctionExpression' | 'FunctionDeclaration' }
>;
export type ClassNode = Extract<SyntaxNode, { type: 'ClassDeclaration' | 'ClassExpression' }>;

/** A parsed module: its nodes in source order (parents first), each with its parent. */
export interface SyntaxTree {
  readonly code: string;
  readonly root: Program;
  readonly nodes: readonly SyntaxNode[];
  readonly parentOf: (node: SyntaxNode) => SyntaxNode | undefined;
}

/** Parses JavaScript (types already stripped). Throws acorn's SyntaxError with `loc`. */
export function parseModule(code: string): SyntaxTree {
  const root = parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    ranges: true,
    allowHashBang: true,
  });
  const parents = new Map<SyntaxNode, SyntaxNode>();
  const nodes: SyntaxNode[] = [];
  const open: SyntaxNode[] = [root];
  // An explicit stack: generated code nests deeper than the call stack allows.
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    nodes.push(node);
    const children = childrenOf(node);
    for (let i = children.length - 1; i >= 0; i--) {
      const child = children[i] as SyntaxNode;
      parents.set(child, node);
      open.push(child);
    }
  }
  return { code, root, nodes, parentOf: (node) => parents.get(node) };
}

const NOT_CHILDREN = new Set(['type', 'start', 'end', 'range', 'loc', 'raw', 'regex', 'value.raw']);

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const [key, value] of Object.entries(node) as [string, unknown][]) {
    if (NOT_CHILDREN.has(key) || typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) found.push(item);
    } else if (isNode(value) && !isShorthandTwin(node, key)) {
      found.push(value);
    }
  }
  return found;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof (value as SyntaxNode | null)?.type === 'string';
}

/** In `{ a }` and `import { a }` key and value are one node (or two of the same text): keep the value only. */
function isShorthandTwin(node: SyntaxNode, key: string): boolean {
  return node.type === 'Property' && node.shorthand && key === 'key';
}

export function isFunction(node: SyntaxNode): node is FunctionNode {
  return (
    node.type === 'ArrowFunctionExpression' ||
    node.type === 'FunctionExpression' ||
    node.type === 'FunctionDeclaration'
  );
}

export function isClass(node: SyntaxNode): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** Has its own `this`, `arguments`, `super` and `new.target`. */
export function hasOwnThis(node: SyntaxNode): boolean {
  return isFunction(node) && node.type !== 'ArrowFunctionExpression';
}

/** Whether a call decides when `node` is evaluated, and not the module's own evaluation. */
export function isInFunction(tree: SyntaxTree, node: SyntaxNode): boolean {
  for (let at = tree.parentOf(node); at !== undefined; at = tree.parentOf(at))
    if (isFunction(at)) return true;
  return false;
}

export function contains(
  outer: { start: number; end: number },
  inner: { start: number; end: number },
): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** The member of `owner` that `node` is, when `node` is one. */
export function isStaticPart(owner: ClassNode | ClassDeclaration, member: SyntaxNode): boolean {
  return (
    owner.body.body.includes(member as never) &&
    (member.type === 'StaticBlock' || (member.type === 'PropertyDefinition' && member.static))
  );
}

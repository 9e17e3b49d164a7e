import type { Position } from '../manifest.ts';
import type { SourcePositions } from './source-positions.ts';
import { isInFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** `process.env.NAME` outside of any function. */
export interface EnvironmentRead {
  /** '' when it is computed, or when the whole environment is read. */
  readonly name: string;
  readonly at: Position;
  readonly length: number;
}

/** Where a module reads the environment while it is evaluated. */
export function environmentReads(tree: SyntaxTree, positions: SourcePositions): EnvironmentRead[] {
  const locals = importedEnvironments(tree);
  const reads: EnvironmentRead[] = [];
  for (const node of tree.nodes) {
    if (!isEnvironment(tree, node, locals) || isInFunction(tree, node)) continue;
    const parent = tree.parentOf(node);
    const isMember = parent?.type === 'MemberExpression' && parent.object === node;
    const whole = isMember ? parent : node;
    const read = {
      name: isMember ? memberName(parent) : '',
      at: positions.original(whole.start),
      length: whole.end - whole.start,
    };
    reads.push(read);
  }
  return reads;
}

/** What a module calls `process` and its `env`. */
interface Locals {
  readonly process: ReadonlySet<string>;
  readonly env: ReadonlySet<string>;
}

/** `import { env } from 'node:process'`, `import proc from 'node:process'`. */
function importedEnvironments(tree: SyntaxTree): Locals {
  const env = new Set<string>();
  const process = new Set(['process']);
  for (const statement of tree.root.body) {
    if (statement.type !== 'ImportDeclaration' || !/^(?:node:)?process$/.test(String(statement.source.value)))
      continue;
    for (const item of statement.specifiers) {
      if (item.type !== 'ImportSpecifier') process.add(item.local.name);
      else if (item.imported.type === 'Identifier' && item.imported.name === 'env') env.add(item.local.name);
    }
  }
  return { process, env };
}

function isEnvironment(tree: SyntaxTree, node: SyntaxNode, locals: Locals): boolean {
  if (node.type === 'Identifier') {
    const parent = tree.parentOf(node);
    return locals.env.has(node.name) && parent?.type === 'MemberExpression' && parent.object === node;
  }
  return (
    node.type === 'MemberExpression' &&
    node.object.type === 'Identifier' &&
    locals.process.has(node.object.name) &&
    memberName(node) === 'env'
  );
}

function memberName(member: Extract<SyntaxNode, { type: 'MemberExpression' }>): string {
  const { property, computed } = member;
  if (!computed && property.type === 'Identifier') return property.name;
  return property.type === 'Literal' ? String(property.value) : '';
}

import type { Position } from '../manifest.ts';
import type { SourcePositions } from './source-positions.ts';
import { isInFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** `await`, `for await` or `await using` outside of any function. */
export interface TopLevelAwait {
  /** Of the word `await`. */
  readonly at: Position;
  /** What waits, as far as it is short: `const prices = await load()`. */
  readonly statement: string;
}

const TEXT_MAX = 60;

export function topLevelAwaits(tree: SyntaxTree, positions: SourcePositions): TopLevelAwait[] {
  const found: TopLevelAwait[] = [];
  for (const node of tree.nodes) {
    if (!isSuspension(node) || isInFunction(tree, node)) continue;
    found.push(awaitUsing(tree, positions, node) ?? suspension(tree, positions, node));
  }
  return found;
}

function isSuspension(node: SyntaxNode): boolean {
  if (node.type === 'AwaitExpression') return true;
  if (node.type === 'ForOfStatement') return node.await;
  return node.type === 'VariableDeclaration' && node.kind === 'await using';
}

function suspension(tree: SyntaxTree, positions: SourcePositions, node: SyntaxNode): TopLevelAwait {
  const awaited = node.type === 'AwaitExpression' ? node.argument : undefined;
  const text = awaited === undefined ? '' : positions.textOf(awaited);
  const shown = text === '' || text.length > TEXT_MAX || text.includes('\n') ? '…' : text;
  const variable = variableOf(tree, node);
  return {
    at: positions.original(node.start),
    statement: `${variable === '' ? '' : `const ${variable} = `}await ${shown}`,
  };
}

/** `await using x = …` that was lowered: `var x = _usingCtx.a(…)`, and `await _usingCtx.d()` at the end. */
function awaitUsing(
  tree: SyntaxTree,
  positions: SourcePositions,
  node: SyntaxNode,
): TopLevelAwait | undefined {
  if (node.type !== 'AwaitExpression') return undefined;
  const stack = usingStack(node.argument, 'd');
  const declared =
    stack === undefined ? undefined : tree.nodes.find((each) => usingStack(each, 'a') === stack);
  if (declared === undefined) return undefined;
  const variable = variableOf(tree, declared);
  const at = positions.original(tree.parentOf(declared)?.start ?? declared.start);
  return {
    at: positions.wordBefore('await', at) ?? at,
    statement: `await using ${variable} = …`,
  };
}

/** The name of the stack whose `method` is called. */
function usingStack(node: SyntaxNode, method: string): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const { object, property } = node.callee;
  if (property.type !== 'Identifier' || property.name !== method || object.type !== 'Identifier')
    return undefined;
  return /^_usingCtx\d*$/.test(object.name) ? object.name : undefined;
}

function variableOf(tree: SyntaxTree, node: SyntaxNode): string {
  const parent = tree.parentOf(node);
  return parent?.type === 'VariableDeclarator' && parent.init === node && parent.id.type === 'Identifier'
    ? parent.id.name
    : '';
}

import type { Variable } from 'eslint-scope';
import { contains, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/**
 * Whether `variable` may get its value after `closure` is created. In a cycle of closures not every value can be older
 * than the closure that captures it, so only closures with such a capture need the form that can be tied later.
 */
export function canBeLater(tree: SyntaxTree, closure: SyntaxNode, variable: Variable): boolean {
  if (variable.references.some((reference) => reference.isWrite() && reference.init !== true)) return true;
  const definition = variable.defs[0];
  const definitionNode = definition?.node as SyntaxNode | undefined;
  const name = definition?.name as unknown as SyntaxNode | undefined;
  if (definitionNode === undefined || name === undefined) return true;
  switch (definition?.type) {
    case 'CatchClause':
      return false;
    case 'Parameter':
      return !(isFunction(definitionNode) && contains(definitionNode.body, closure));
    case 'FunctionName':
      // Both are made when their block is entered.
      return (
        closure.type === 'FunctionDeclaration' && blockOf(tree, closure) === blockOf(tree, definitionNode)
      );
    case 'Variable':
      if (definition.parent?.kind === 'var') return true;
      return isLater(tree, closure, definitionNode, name);
    case 'ClassName':
      return isLater(tree, closure, definitionNode, name);
    default:
      return true;
  }
}

function isLater(tree: SyntaxTree, closure: SyntaxNode, definition: SyntaxNode, name: SyntaxNode): boolean {
  // A function declaration is made when its block is entered.
  const hoistedTo = closure.type === 'FunctionDeclaration' ? blockOf(tree, closure) : undefined;
  return (
    definition.end > (hoistedTo ?? closure).start ||
    functionAround(tree, name) !== functionAround(tree, closure)
  );
}

/** Where a declaration stands; `export` is no block. */
function blockOf(tree: SyntaxTree, declaration: SyntaxNode): SyntaxNode | undefined {
  const parent = tree.parentOf(declaration);
  const isExport = parent?.type === 'ExportNamedDeclaration' || parent?.type === 'ExportDefaultDeclaration';
  return isExport ? tree.parentOf(parent) : parent;
}

function functionAround(tree: SyntaxTree, node: SyntaxNode): SyntaxNode | undefined {
  let around = tree.parentOf(node);
  while (around !== undefined && !isFunction(around) && around.type !== 'StaticBlock')
    around = tree.parentOf(around);
  return around;
}

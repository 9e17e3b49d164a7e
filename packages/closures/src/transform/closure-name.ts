import type { SyntaxTree } from './syntax-tree.ts';
import type { TrackedClosure } from './tracked-closure.ts';

const NAMING_ASSIGNMENTS = new Set(['=', '??=', '||=', '&&=']);

/** The `name` that JavaScript gives the function or class, '' for none. */
export function closureName(tree: SyntaxTree, { node }: TrackedClosure): string {
  if (node.id) return node.id.name;
  const parent = tree.parentOf(node);
  switch (parent?.type) {
    case 'VariableDeclarator':
      return parent.id.type === 'Identifier' ? parent.id.name : '';
    case 'AssignmentExpression':
      return parent.right === node &&
        parent.left.type === 'Identifier' &&
        NAMING_ASSIGNMENTS.has(parent.operator)
        ? parent.left.name
        : '';
    case 'AssignmentPattern':
      return parent.right === node && parent.left.type === 'Identifier' ? parent.left.name : '';
    case 'Property':
    case 'PropertyDefinition':
      if (parent.value !== node || parent.computed) return '';
      if (parent.key.type === 'Identifier') return parent.key.name;
      if (parent.key.type === 'PrivateIdentifier') return `#${parent.key.name}`;
      return parent.key.type === 'Literal' ? String(parent.key.value) : '';
    case 'ExportDefaultDeclaration':
      return 'default';
    default:
      return '';
  }
}

/** Whether `({ "name": E })["name"]` gives E that name: it introduces no binding that E could see. */
export function canInferName(name: string): boolean {
  return name !== '' && name !== '__proto__' && !name.startsWith('#');
}

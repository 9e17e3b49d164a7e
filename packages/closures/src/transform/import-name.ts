import type { Definition } from 'eslint-scope';
import type { SyntaxNode } from './syntax-tree.ts';

/** `default`, `*`, or the name that the module exports. */
export function importedName(specifier: SyntaxNode): string {
  switch (specifier.type) {
    case 'ImportNamespaceSpecifier':
      return '*';
    case 'ImportSpecifier':
      return specifier.imported.type === 'Identifier'
        ? specifier.imported.name
        : String(specifier.imported.value);
    default:
      return 'default';
  }
}

/** The text of an identifier or of a string name. */
export function moduleExportName(node: SyntaxNode): string {
  return node.type === 'Identifier' ? node.name : String((node as { value?: unknown }).value);
}

/** What the definition of an imported name imports. */
export function importOf(definition: Definition): { specifier: string; name: string } {
  const specifier = definition.node as unknown as SyntaxNode;
  const declaration = definition.parent as unknown as { source: { value: string } };
  return { specifier: declaration.source.value, name: importedName(specifier) };
}

import type { Position } from '../manifest.ts';
import { importedName, moduleExportName } from './import-name.ts';
import type { SourcePositions } from './source-positions.ts';
import { isClass, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** Where an exported name is declared, or the module that it comes from. */
export type ExportOrigin =
  | { readonly declaredAt: Position }
  | { readonly specifier: string; readonly name: string };

/** Where each exported name comes from, so that a message can show the declaration in another file. */
export function exportOrigins(tree: SyntaxTree, positions: SourcePositions): Record<string, ExportOrigin> {
  const origins: Record<string, ExportOrigin> = {};
  const declared = new Map<string, ExportOrigin>();
  for (const node of tree.nodes) {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier') {
      declared.set(
        node.id.name,
        declared.get(node.id.name) ?? { declaredAt: positions.original(node.id.start) },
      );
    } else if ((node.type === 'FunctionDeclaration' || isClass(node)) && node.id) {
      declared.set(
        node.id.name,
        declared.get(node.id.name) ?? { declaredAt: positions.original(node.id.start) },
      );
    } else if (node.type === 'ImportDeclaration') {
      for (const item of node.specifiers) {
        declared.set(item.local.name, { specifier: String(node.source.value), name: importedName(item) });
      }
    }
  }
  for (const statement of tree.root.body) {
    if (statement.type === 'ExportDefaultDeclaration') {
      origins['default'] = { declaredAt: positions.original(statement.declaration.start) };
    } else if (statement.type === 'ExportNamedDeclaration') {
      for (const item of statement.specifiers) {
        const origin = statement.source
          ? { specifier: String(statement.source.value), name: moduleExportName(item.local) }
          : declared.get(moduleExportName(item.local));
        if (origin !== undefined) origins[moduleExportName(item.exported)] = origin;
      }
      for (const name of declaredNames(statement.declaration)) {
        const origin = declared.get(name);
        if (origin !== undefined) origins[name] = origin;
      }
    }
  }
  return origins;
}

function declaredNames(declaration: SyntaxNode | null | undefined): string[] {
  if (declaration?.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  }
  const id = (declaration as { id?: { name: string } | null } | null | undefined)?.id;
  return id ? [id.name] : [];
}

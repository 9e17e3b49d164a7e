import type { Identifier } from 'acorn';
import type { FixedRead, Position } from '../manifest.ts';
import type { FixedReads } from './fixed-reads.ts';
import { importedName, moduleExportName } from './import-name.ts';
import type { SourcePositions } from './source-positions.ts';
import { isClass, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** Where an exported name is declared, or the module that it comes from. */
export type ExportOrigin =
  | { readonly declaredAt: Position; readonly reads?: FixedRead }
  | { readonly specifier: string; readonly name: string };

/** The modules of `export * from '…'`. */
export function starExports(tree: SyntaxTree): string[] {
  return tree.root.body.flatMap((statement) =>
    statement.type === 'ExportAllDeclaration' && !statement.exported ? [String(statement.source.value)] : [],
  );
}

/** Where each exported name comes from, so that a message can show the declaration in another file. */
export function exportOrigins(
  tree: SyntaxTree,
  positions: SourcePositions,
  fixedReads: FixedReads,
): Record<string, ExportOrigin> {
  const origins: Record<string, ExportOrigin> = {};
  const declared = new Map<string, ExportOrigin>();
  for (const node of tree.nodes) {
    if (node.type === 'VariableDeclarator') {
      const declaration = tree.parentOf(node);
      const isConst = declaration?.type === 'VariableDeclaration' && declaration.kind === 'const';
      const reads = isConst && node.init ? fixedReads.within(node.init) : undefined;
      for (const { name, start } of boundNames(node.id)) {
        const origin = { declaredAt: positions.original(start), ...(reads && { reads }) };
        declared.set(name, declared.get(name) ?? origin);
      }
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
    if (statement.type === 'ExportAllDeclaration' && statement.exported) {
      origins[moduleExportName(statement.exported)] = {
        specifier: String(statement.source.value),
        name: '*',
      };
    } else if (statement.type === 'ExportDefaultDeclaration') {
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
    return declaration.declarations.flatMap(({ id }) => boundNames(id).map(({ name }) => name));
  }
  const id = (declaration as { id?: { name: string } | null } | null | undefined)?.id;
  return id ? [id.name] : [];
}

/** The names that a pattern declares. */
function boundNames(pattern: SyntaxNode): Identifier[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern];
    case 'ObjectPattern':
      return pattern.properties.flatMap((part) => boundNames(part.type === 'Property' ? part.value : part));
    case 'ArrayPattern':
      return pattern.elements.flatMap((part) => (part === null ? [] : boundNames(part)));
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

import type { Position } from '../manifest.ts';
import { importedName, moduleExportName } from './import-name.ts';
import type { ModuleContext } from './module-context.ts';
import type { SourcePositions } from './source-positions.ts';
import type { SyntaxTree } from './syntax-tree.ts';

export interface ModuleRequest {
  readonly specifier: string;
  readonly at: Position;
}

/** Values that come from packages are shipped as references: tells the runtime which they are. */
export function registerImports(
  context: ModuleContext,
  engine: string,
): { registrations: string; sideEffectImports: string[] } {
  const entries: string[] = [];
  const extra: string[] = [];
  const sideEffectImports: string[] = [];
  const add = (specifier: string, name: string, local: string): void => {
    entries.push(`[${JSON.stringify(context.importKey(specifier, name))}, () => ${local}]`);
  };
  for (const statement of context.tree.root.body) {
    if (
      (statement.type !== 'ImportDeclaration' && statement.type !== 'ExportNamedDeclaration') ||
      statement.source == null
    ) {
      continue;
    }
    const specifier = String(statement.source.value);
    if (!context.isByReference(specifier)) continue;
    if (statement.type === 'ImportDeclaration') {
      for (const item of statement.specifiers) add(specifier, importedName(item), item.local.name);
      if (statement.specifiers.length === 0) sideEffectImports.push(specifier);
      continue;
    }
    for (const item of statement.specifiers) {
      const name = moduleExportName(item.local);
      const local = `${engine}_${extra.length}`;
      extra.push(`import { ${JSON.stringify(name)} as ${local} } from ${JSON.stringify(specifier)};`);
      add(specifier, name, local);
    }
  }
  const registrations = entries.length === 0 ? '' : `${engine}.i([${entries.join(', ')}]);`;
  return { registrations: extra.join('') + registrations, sideEffectImports };
}

/** Every import and re-export with a constant specifier. */
export function moduleRequests(tree: SyntaxTree, positions: SourcePositions): ModuleRequest[] {
  const requests: ModuleRequest[] = [];
  for (const node of tree.nodes) {
    if (
      node.type !== 'ImportDeclaration' &&
      node.type !== 'ExportNamedDeclaration' &&
      node.type !== 'ExportAllDeclaration' &&
      node.type !== 'ImportExpression'
    ) {
      continue;
    }
    const { source } = node;
    if (source?.type !== 'Literal' || typeof source.value !== 'string') continue;
    requests.push({ specifier: source.value, at: positions.original(source.start) });
  }
  return requests;
}

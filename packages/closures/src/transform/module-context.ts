import type { DynamicImports } from './dynamic-imports.ts';
import type { FixedReads } from './fixed-reads.ts';
import type { SourcePositions } from './source-positions.ts';
import type { ClassNode, SyntaxTree } from './syntax-tree.ts';

/** What the parts of the transform know about the file at hand. */
export interface ModuleContext {
  readonly tree: SyntaxTree;
  readonly positions: SourcePositions;
  readonly file: string;
  readonly dynamicImports: DynamicImports;
  readonly fixedReads: FixedReads;
  readonly isDecorated: (node: ClassNode) => boolean;
  /** Executors load it by themselves: npm, node:, @millrace/…, and modules that begin with 'use executor'. */
  readonly isByReference: (specifier: string) => boolean;
  /** Names an import for the executor bundle. */
  readonly importKey: (specifier: string, name: string) => string;
  /** A closure id for this content; the same content twice gives two ids. */
  readonly closureId: (content: string) => string;
}

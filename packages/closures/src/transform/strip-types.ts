import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import { transformSync } from 'rolldown/utils';

export interface StrippedModule {
  readonly code: string;
  readonly map: EncodedSourceMap;
}

export interface SyntaxProblem {
  readonly message: string;
  readonly loc?: { readonly line: number; readonly column: number };
}

/** A module of the user's without its types, decorators lowered. */
export function stripTypes(path: string, source: string): StrippedModule | SyntaxProblem {
  const { code, map, errors } = transformSync(path, source, {
    sourcemap: true,
    target: 'node22',
    typescript: {},
    decorator: { legacy: true },
    tsconfig: false,
  });
  const [error] = errors as SyntaxProblem[];
  return error ?? { code, map: map as unknown as EncodedSourceMap };
}

import { TraceMap } from '@jridgewell/trace-mapping';
import { type Clock, MILLRACE_VERSION, NODE_MAJOR } from '@millrace/common';
import { loadManifest } from '../capture/closure-registry.ts';
import { tagOf } from '../capture/closure-tag.ts';
import type { SourceMaps } from '../errors/map-stack.ts';
import type { ClosureMeta, ImportMeta } from '../manifest.ts';
import { createProgram, type Program } from '../revive/program.ts';
import type { ClosureFactory, ProgramModule } from '../revive/program-module.ts';
import type { Revival } from '../revive/revival.ts';

/** What a module that was transformed by itself registers when it is evaluated. */
export interface DevModuleParts {
  readonly file: string;
  readonly source: string;
  readonly closures: readonly ClosureMeta[];
  readonly metas: readonly ImportMeta[];
  /** `{ factories, imports }`: lifted text. */
  readonly text: string;
  /** From `text` to the author's file, as JSON. */
  readonly map: string;
  readonly imports: ProgramModule['imports'];
  /** Modules that lifted text loads with `import('…')`, by specifier. */
  readonly dynamic: Readonly<Record<string, () => Promise<unknown>>>;
}

type Loader = (specifier: string) => Promise<unknown>;

/** Also of closures that cannot ship: the function of a job may well use `import.meta`. */
const known = new Set<string>();
const factories: Record<string, ClosureFactory> = {};
const imports: Record<string, () => Promise<{ readonly v: unknown }>> = {};
const maps = new Map<string, string | TraceMap>();
let modules = 0;

/** Called by transformed modules, before their own first statement. */
export function registerDevModule(parts: DevModuleParts): void {
  const { file, source, closures, metas } = parts;
  loadManifest({
    formatVersion: 1,
    programHash: 'dev',
    entry: file,
    nodeMajor: NODE_MAJOR,
    apiVersion: MILLRACE_VERSION,
    closures,
    imports: metas,
    sources: { [file]: source },
  });
  Object.assign(imports, parts.imports);
  const name = `executor/dev-${++modules}.mjs`;
  maps.set(name, parts.map);
  let lifted: ProgramModule['factories'] | undefined;
  for (const { id, refusal } of closures) {
    known.add(id);
    if (refusal !== undefined) continue;
    // Compiled when the first of them is revived: most modules of a test never are.
    Object.defineProperty(factories, id, {
      configurable: true,
      enumerable: true,
      get: () => {
        lifted ??= evaluate(parts, name).factories;
        return lifted[id];
      },
    });
  }
}

/** Whether a module that was transformed by itself has made this function. */
export function isDevFunction(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  const tag = tagOf(value);
  return (tag?.kind === 'function' || tag?.kind === 'class') && known.has(tag.id);
}

/** A program of all modules that are registered, now or later. `watch`: told of every function that it revives. */
export function devProgram(clock?: Clock, watch?: (fn: object, revival: Revival) => void): Program {
  return createProgram({ factories, imports }, { ...(clock && { clock }), ...(watch && { watch }) });
}

/** For `mapStack`: frames of lifted text. */
export const devSourceMaps: SourceMaps = {
  get(path) {
    const map = maps.get(path);
    if (typeof map !== 'string') return map;
    const parsed = new TraceMap(map);
    maps.set(path, parsed);
    return parsed;
  },
};

function evaluate({ text, dynamic }: DevModuleParts, name: string): ProgramModule {
  const load: Loader = async (specifier) => dynamic[specifier]?.();
  const source = `(function ($millraceImport) { "use strict"; return (${text.trimEnd().replace(/;$/, '')}\n); })\n//# sourceURL=file:///millrace/${name}`;
  // Indirect: it sees globals only. The text is the user's own, of a file that is being run anyway.
  const indirectEval = Reflect.get(globalThis, 'eval') as (text: string) => (load: Loader) => ProgramModule;
  return indirectEval(source)(load);
}

import type { CaptureMeta, ClosureMeta, FixedRead, Position } from '../manifest.ts';
import type { TransformedModule } from '../transform/transform-module.ts';

const MODULES_MAX = 256;

/** The closures of all modules, each import among their captures followed to the file that declares it. */
export function linkDeclarations(
  modules: ReadonlyMap<string, TransformedModule>,
  resolved: ReadonlyMap<string, string>,
): ClosureMeta[] {
  const follow = (file: string, capture: CaptureMeta): CaptureMeta => {
    const { importedFrom, ...rest } = capture;
    if (importedFrom === undefined) return capture;
    const declaration = declarationOf(modules, resolved, file, importedFrom);
    return declaration === undefined
      ? rest
      : {
          ...rest,
          declaredAt: declaration.at,
          ...(declaration.reads && { reads: declaration.reads }),
          ...(declaration.file !== file && { declaredIn: declaration.file }),
        };
  };
  return [...modules].flatMap(([file, { closures }]) =>
    closures.map((meta) => ({ ...meta, captures: meta.captures.map((capture) => follow(file, capture)) })),
  );
}

function declarationOf(
  modules: ReadonlyMap<string, TransformedModule>,
  resolved: ReadonlyMap<string, string>,
  importer: string,
  imported: { specifier: string; name: string },
): { file: string; at: Position; reads?: FixedRead | undefined } | undefined {
  // Modules may export each other's names in a circle.
  const seen = new Set<string>();
  const open = [{ from: importer, ...imported }];
  for (let next = open.pop(); next !== undefined && seen.size < MODULES_MAX; next = open.pop()) {
    const file = resolved.get(`${next.from}\0${next.specifier}`);
    const module = file === undefined ? undefined : modules.get(file);
    if (file === undefined || module === undefined || seen.has(`${file}\0${next.name}`)) continue;
    seen.add(`${file}\0${next.name}`);
    const origin = Object.hasOwn(module.exports, next.name) ? module.exports[next.name] : undefined;
    if (origin === undefined) {
      const { name } = next;
      // `export *` leaves out the default export.
      if (name !== 'default')
        open.push(...module.starExports.map((specifier) => ({ from: file, specifier, name })).toReversed());
    } else if ('declaredAt' in origin) return { file, at: origin.declaredAt, reads: origin.reads };
    else open.push({ from: file, ...origin });
  }
  return undefined;
}

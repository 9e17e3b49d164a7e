import type { CaptureMeta, ClosureMeta, Position } from '../manifest.ts';
import type { TransformedModule } from '../transform/transform-module.ts';

const MAX_HOPS = 16;

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
): { file: string; at: Position } | undefined {
  let from = importer;
  let wanted = imported;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const file = resolved.get(`${from}\0${wanted.specifier}`);
    const origin = file === undefined ? undefined : modules.get(file)?.exports[wanted.name];
    if (file === undefined || origin === undefined) return undefined;
    if ('declaredAt' in origin) return { file, at: origin.declaredAt };
    from = file;
    wanted = origin;
  }
  return undefined;
}

import { join } from 'node:path';
import type { Plugin } from 'rolldown';
import { closuresModule } from './closures-module.ts';
import type { ImportRecord, UserModules } from './user-modules.ts';

/** A path-like id: rolldown drops the source map of ids that begin with \0. */
export const CLOSURES_ENTRY = 'millrace-closures.mjs';

const OUR_SPECIFIER = /^millrace-(import|real|from|side):/;

/**
 * Feeds the executor bundle: the lifted factories, and each import as a lazy module of its own, so that it is shaken
 * and evaluated only when a closure that needs it is revived.
 */
export function executorPlugin(user: UserModules, sourceRoot: string): Plugin {
  const entry = join(sourceRoot, CLOSURES_ENTRY);
  const real = (record: ImportRecord | undefined): ImportRecord => {
    if (record === undefined) throw new Error('an import of the executor bundle is not known');
    return record;
  };
  return {
    name: 'millrace-closures',
    resolveId: {
      filter: { id: /^millrace-/ },
      async handler(id) {
        if (id === CLOSURES_ENTRY) return entry;
        const kind = OUR_SPECIFIER.exec(id)?.[1];
        if (kind === undefined) return null;
        const rest = id.slice(id.indexOf(':') + 1);
        if (kind === 'import') return join(sourceRoot, `millrace-import-${rest}.mjs`);
        if (kind === 'from') {
          const [directory = '', ...specifier] = rest.split(':');
          return this.resolve(specifier.join(':'), join(sourceRoot, directory, 'x.mjs'));
        }
        const record = real(kind === 'real' ? user.imports.get(rest) : user.sideEffects[Number(rest)]);
        return this.resolve(record.specifier, record.importer);
      },
    },
    load: {
      filter: { id: /millrace-(closures|import-[\w-]+)\.mjs$/ },
      handler(id) {
        if (id === entry) {
          const { code, map } = closuresModule(
            user.modules,
            user.sideEffects.map((_, index) => `millrace-side:${index}`),
          );
          return { code, map: map as never, moduleType: 'js' };
        }
        const key = /millrace-import-([\w-]+)\.mjs$/.exec(id)?.[1] ?? '';
        const { name } = real(user.imports.get(key));
        const what = name === '*' ? '* as v' : `{ ${JSON.stringify(name)} as v }`;
        return { code: `export ${what} from 'millrace-real:${key}'`, moduleType: 'js' };
      },
    },
  };
}

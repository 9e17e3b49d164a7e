// vitest: `plugins: [millrace()]`.
import { transformDevModule } from '@millrace/closures/transform';

/** What vite, vitest and rolldown need of a plugin. */
export interface MillracePlugin {
  readonly name: 'millrace';
  readonly enforce: 'pre';
  transform(source: string, id: string): { readonly code: string; readonly map: never } | null;
}

/**
 * Modules of the author go through the transform of `submit`, so that `embed` captures and revives their lambdas as a cluster does.
 * For tests: what `submit` bundles needs no plugin.
 */
export function millrace(): MillracePlugin {
  return {
    name: 'millrace',
    // Before types are stripped: messages quote the author's text.
    enforce: 'pre',
    transform(source, id) {
      const [path = ''] = id.split('?');
      const transformed = transformDevModule(path, source);
      return transformed ? { code: transformed.code, map: transformed.map as never } : null;
    },
  };
}

import { type ResolveFnOutput, type ResolveHookContext, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

type NextResolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput;

export interface ResolveHookOptions {
  /** `import.meta.url` of a module of the running engine that depends on the packages that this one does not. */
  readonly parentUrl?: string;
  /** Directory where packages that are not bundled (`externals`) are installed; default: the working directory. */
  readonly externalsDir?: string;
}

/**
 * From now on every `@millrace/…` import in this thread resolves to the running engine's own installation, wherever the
 * importing file lies: job bundles lie in a state directory, where nothing is installed. Returns a function that undoes it.
 */
export function millraceResolveHook(options: ResolveHookOptions = {}): () => void {
  const parents = [import.meta.url, ...(options.parentUrl === undefined ? [] : [options.parentUrl])];
  const installed = pathToFileURL(`${options.externalsDir ?? process.cwd()}/`).href;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith('@millrace/'))
        return resolveExternal(specifier, context, nextResolve, installed);
      for (const parentURL of parents) {
        try {
          return nextResolve(specifier, { ...context, parentURL });
        } catch {
          // the next parent may know it; the importer itself is the last
        }
      }
      return nextResolve(specifier, context);
    },
  });
  return () => hooks.deregister();
}

/** As ever; and where nothing is installed, which is so for bundles, from the directory that has the externals. */
function resolveExternal(
  specifier: string,
  context: ResolveHookContext,
  nextResolve: NextResolve,
  installed: string,
): ResolveFnOutput {
  try {
    return nextResolve(specifier, context);
  } catch (error) {
    if (/^(?:[./#]|\w+:)/.test(specifier)) throw error;
    try {
      return nextResolve(specifier, { ...context, parentURL: installed });
    } catch {
      throw error;
    }
  }
}

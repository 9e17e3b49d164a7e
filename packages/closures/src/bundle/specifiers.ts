import { builtinModules } from 'node:module';

const BUILTINS = new Set(builtinModules);

/** Resolved where the bundle runs: Node's own modules, Millrace, and what the user lists. */
export function isExternal(specifier: string, externals: readonly string[]): boolean {
  return (
    specifier.startsWith('node:') ||
    BUILTINS.has(specifier) ||
    specifier.startsWith('@millrace/') ||
    externals.some((name) => specifier === name || specifier.startsWith(`${name}/`))
  );
}

const MENTION = /(?:\bfrom|\bimport)\s*\(?\s*(?:'([^'\n]*)'|"([^"\n]*)")/g;

/** Every string that may be an import of `code`: a superset, so that all can be resolved before the parse. */
export function mentionedSpecifiers(code: string): Set<string> {
  const found = new Set<string>();
  for (const match of code.matchAll(MENTION)) found.add(match[1] ?? match[2] ?? '');
  return found;
}

const CODE_FILE = /\.[cm]?[jt]sx?$/;

/** The author's own code: a real path outside of node_modules. CommonJS files are left as they are. */
export function isUserFile(path: string): boolean {
  // rolldown's own helper modules begin with \0.
  return (
    !path.startsWith('\0') &&
    CODE_FILE.test(path) &&
    !/\.c[jt]s$/.test(path) &&
    !/[\\/]node_modules[\\/]/.test(path)
  );
}

const USE_EXECUTOR = /^(?:#![^\n]*\n)?(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*(['"])use executor\1/;

/** A module that executors load by reference instead of taking its variables by value. */
export function beginsWithUseExecutor(source: string): boolean {
  return USE_EXECUTOR.test(source);
}

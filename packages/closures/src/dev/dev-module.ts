import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { findPackageJSON, isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import { MillraceError } from '@millrace/common';
import { closuresModule } from '../bundle/closures-module.ts';
import { fileLabel, findSourceRoot } from '../bundle/source-root.ts';
import { beginsWithUseExecutor, isUserFile, mentionedSpecifiers } from '../bundle/specifiers.ts';
import { codeFrame } from '../errors/code-frame.ts';
import { stripTypes } from '../transform/strip-types.ts';
import { RUNTIME_SPECIFIER, type TransformedModule, transformModule } from '../transform/transform-module.ts';
import type { DevModuleParts } from './dev-program.ts';

/** One module as a test runner or an embedding process evaluates it: JavaScript. */
export interface DevModule {
  readonly code: string;
  readonly map: EncodedSourceMap;
}

/**
 * The transform of `submit` for one file, by itself: what it lifts is registered in the same process when the module is evaluated, so
 * that an embedded application captures and revives lambdas as a cluster does. `path`: absolute.
 * `runtime`: what the module imports the engine's runtime from; the user's file may not be able to resolve its package. Undefined for files that are not the user's own (node_modules, CommonJS, data).
 * @throws MillraceError BUNDLE_FAILED with a code frame when the text is no TypeScript.
 */
export function transformDevModule(
  path: string,
  source: string,
  runtime: string = RUNTIME_PATH,
): DevModule | undefined {
  const root = findSourceRoot(dirname(path));
  if (!isUserFile(path) || isEngine(root)) return undefined;
  const file = fileLabel(root, path);
  const stripped = stripTypes(path, source);
  if ('message' in stripped) throw syntaxError(file, source, stripped.message, stripped.loc);
  const { code, map } = stripped;
  if (beginsWithUseExecutor(source)) return { code, map };
  const module = transformModule({
    code,
    map,
    source,
    file,
    isByReference: (specifier) => isByReference(path, specifier),
  });
  const at = module.code.startsWith('#!') ? module.code.indexOf('\n') + 1 : 0;
  const own = JSON.stringify(runtime);
  // On the line of the transform's own first statement: the lines below stay where their map has them.
  const head = `import { $register as $millraceDev } from ${own};$millraceDev(${registration(file, source, module)});`;
  const body = module.code.slice(at).replace(JSON.stringify(RUNTIME_SPECIFIER), () => own);
  return { code: module.code.slice(0, at) + head + body, map: module.map };
}

const RUNTIME_PATH = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../runtime.ts' : '../runtime.js', import.meta.url),
);

/** Lifted text must not see a name of its module: it travels as a string, as it travels to an executor. */
function registration(file: string, source: string, module: TransformedModule): string {
  const lifted = closuresModule(new Map([[file, module]]), []);
  const dynamic = new Set<string>();
  const text = lifted.code.replaceAll(MOVED_IMPORT, (_all, call: string, specifier: string) => {
    dynamic.add(specifier);
    return `$millraceImport${call}${JSON.stringify(specifier)}`;
  });
  const parts: Omit<DevModuleParts, 'imports' | 'dynamic'> = {
    file,
    source,
    closures: module.closures,
    metas: module.imports,
    text: text.replace(/^export default /, ''),
    map: JSON.stringify(lifted.map),
  };
  const imports = module.imports.map(({ key, specifier, name }) => {
    const value = name === '*' ? 'm' : `m[${JSON.stringify(name)}]`;
    return `${JSON.stringify(key)}: () => import(${JSON.stringify(specifier)}).then((m) => ({ v: ${value} }))`;
  });
  const loaders = [...dynamic].map(
    (specifier) => `${JSON.stringify(specifier)}: () => import(${JSON.stringify(specifier)})`,
  );
  return `{...${JSON.stringify(parts)}, imports: {${imports.join(', ')}}, dynamic: {${loaders.join(', ')}}}`;
}

/** `import('…')` in lifted text, which the bundle resolves from its own file; here the registration brings what loads it. */
const MOVED_IMPORT = /\bimport(\s*\(\s*)"millrace-from:[^":]*:([^"]*)"/g;

/** What `transformDevModule` makes of a file also depends on which of its imports are the user's own: for keys of caches. */
export function devModuleKey(path: string, source: string): string {
  if (!isUserFile(path)) return '';
  return [...mentionedSpecifiers(source)]
    .map((specifier) => `${specifier} ${isByReference(path, specifier)}`)
    .join('\n');
}

const engineRoots = new Map<string, boolean>();

/** Millrace's own packages, which lie outside of node_modules only where Millrace is developed. */
function isEngine(root: string): boolean {
  const known = engineRoots.get(root);
  if (known !== undefined) return known;
  const manifest = join(root, 'package.json');
  const text = existsSync(manifest) ? readFileSync(manifest, 'utf8') : '';
  const isOurs = /"name"\s*:\s*"@millrace\//.test(text);
  engineRoots.set(root, isOurs);
  return isOurs;
}

/** As bundling decides it: the user's own modules are those whose real path is outside of node_modules. */
function isByReference(importer: string, specifier: string): boolean {
  if (isBuiltin(specifier) || specifier.startsWith('@millrace/')) return true;
  if (!/^[./]/.test(specifier)) return isInstalledPackage(importer, specifier);
  const file = userFileOf(resolve(dirname(importer), specifier));
  return file !== undefined && beginsWithUseExecutor(readFileSync(file, 'utf8'));
}

function isInstalledPackage(importer: string, specifier: string): boolean {
  try {
    const manifest = findPackageJSON(specifier, pathToFileURL(importer).href);
    return manifest === undefined || /[\\/]node_modules[\\/]/.test(realpathSync(manifest));
  } catch {
    return true; // not installed: evaluating the module says so
  }
}

const SUFFIXES = ['', '.ts', '.tsx', '.mts', '.js', '.mjs', '/index.ts', '/index.js'] as const;

/** As bundlers resolve: without its extension, or with `.js` for a `.ts`. */
function userFileOf(path: string): string | undefined {
  const candidates = [
    ...SUFFIXES.map((suffix) => path + suffix),
    path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2'),
  ];
  return candidates.find((file) => existsSync(file) && statSync(file).isFile() && isUserFile(file));
}

function syntaxError(
  file: string,
  source: string,
  message: string,
  loc?: { readonly line: number; readonly column: number },
): MillraceError {
  const what = (/\[\w+\] (.*)/.exec(message)?.[1] ?? message.split('\n')[0] ?? message).trim();
  const frame = loc ? `\n\n${codeFrame(source, [{ ...loc, length: 1, text: '', isMain: true }])}` : '';
  return new MillraceError(
    'BUNDLE_FAILED',
    `${file}${loc ? `:${loc.line}:${loc.column + 1}` : ''}: ${what}${frame}`,
    {
      details: { file, ...(loc && { line: loc.line }) },
    },
  );
}

import { readFile } from 'node:fs/promises';
import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import type { Plugin, PluginContext } from 'rolldown';
import { transformSync } from 'rolldown/utils';
import type { ModuleRequest } from '../transform/module-imports.ts';
import { type TransformedModule, transformModule } from '../transform/transform-module.ts';
import type { BundleProblem } from './bundle-problem.ts';
import { ADDON_LOADERS, hasNativeBinding, packageOf } from './native-addon.ts';
import { fileLabel } from './source-root.ts';
import { beginsWithUseExecutor, isExternal, isUserFile, mentionedSpecifiers } from './specifiers.ts';

/** How an import of the executor bundle is found again. */
export interface ImportRecord {
  readonly specifier: string;
  readonly name: string;
  /** Absolute path of a file that imports it. */
  readonly importer: string;
}

/** Reads, strips and transforms the user's modules while rolldown walks through them. */
export class UserModules {
  readonly modules = new Map<string, TransformedModule>();
  readonly sources = new Map<string, string>();
  readonly imports = new Map<string, ImportRecord>();
  readonly sideEffects: ImportRecord[] = [];
  readonly problems: BundleProblem[] = [];
  /** Resolution of `label of the importer \0 specifier` to the label of a user file. */
  readonly resolved = new Map<string, string>();
  readonly #sourceRoot: string;
  readonly #externals: readonly string[];
  readonly #nativePackages = new Set<string>();

  constructor(sourceRoot: string, externals: readonly string[]) {
    this.#sourceRoot = sourceRoot;
    this.#externals = externals;
  }

  /** For the driver bundle. */
  plugin(): Plugin {
    const load = (context: PluginContext, id: string): ReturnType<UserModules['transform']> =>
      this.transform(context, id);
    return {
      name: 'millrace-user-modules',
      load: {
        filter: { id: /\.[mc]?[jt]sx?$/ },
        handler(id) {
          return isUserFile(id) ? load(this, id) : null;
        },
      },
    };
  }

  /** For both bundles: what is external, and what must not be bundled. */
  commonPlugin(): Plugin {
    return {
      name: 'millrace-externals',
      resolveId: {
        filter: { id: /^[^./\0]/ },
        handler: (id, importer) => {
          if (isExternal(id, this.#externals)) return { id, external: true };
          if (importer !== undefined && ADDON_LOADERS.test(id)) {
            this.#refuseNative(packageOf(importer)?.name ?? importer);
          }
          return null;
        },
      },
      load: {
        filter: { id: /\.node$/ },
        handler: (id) => {
          this.#refuseNative(packageOf(id)?.name ?? fileLabel(this.#sourceRoot, id));
          return { code: 'export default undefined', moduleType: 'js' };
        },
      },
    };
  }

  /** The driver's text of one user file; what else is known of it is kept here. */
  async transform(
    context: PluginContext,
    path: string,
  ): Promise<{ code: string; map?: never; moduleType: 'js' }> {
    const file = fileLabel(this.#sourceRoot, path);
    const source = await readFile(path, 'utf8');
    const stripped = transformSync(path, source, {
      sourcemap: true,
      target: 'node22',
      typescript: {},
      decorator: { legacy: true },
      tsconfig: false,
    });
    const [error] = stripped.errors as { message: string; loc?: { line: number; column: number } }[];
    if (error !== undefined) {
      this.#reportSyntax(file, source, error.message, error.loc);
      return { code: 'export {}', moduleType: 'js' };
    }
    const map = stripped.map as unknown as EncodedSourceMap;
    if (beginsWithUseExecutor(source)) return { code: stripped.code, map: map as never, moduleType: 'js' };
    const unresolved = new Set<string>();
    const byReference = await this.#classifyImports(context, path, file, source, stripped.code, unresolved);
    const module = transformModule({
      code: stripped.code,
      map,
      source,
      file,
      isByReference: (specifier) => byReference.get(specifier) ?? true,
    });
    for (const request of module.requests) {
      if (unresolved.has(request.specifier)) this.#reportUnresolved(file, source, request);
    }
    this.sources.set(file, source);
    this.modules.set(file, module);
    for (const { key, specifier, name } of module.imports)
      this.imports.set(key, { specifier, name, importer: path });
    for (const specifier of module.sideEffectImports)
      this.sideEffects.push({ specifier, name: '', importer: path });
    return { code: module.code, map: module.map as never, moduleType: 'js' };
  }

  /** For each import: true when executors load it by themselves, false for the user's own modules. */
  async #classifyImports(
    context: PluginContext,
    path: string,
    file: string,
    source: string,
    code: string,
    unresolved: Set<string>,
  ): Promise<Map<string, boolean>> {
    const byReference = new Map<string, boolean>();
    for (const specifier of mentionedSpecifiers(code)) {
      if (isExternal(specifier, this.#externals)) continue;
      const found = await context.resolve(specifier, path);
      if (found === null) {
        unresolved.add(specifier);
        continue;
      }
      // Helpers that rolldown brings along begin with \0: the executor bundle has them too.
      if (found.external !== false || found.id.startsWith('\0')) continue;
      if (!isUserFile(found.id)) {
        // Data files of the user travel by value; packages are loaded by reference.
        const owner = packageOf(found.id);
        if (owner === undefined) byReference.set(specifier, false);
        else if (hasNativeBinding(owner.directory)) this.#refuseNative(owner.name, file, source, specifier);
        continue;
      }
      this.resolved.set(`${file}\0${specifier}`, fileLabel(this.#sourceRoot, found.id));
      byReference.set(specifier, beginsWithUseExecutor(await readFile(found.id, 'utf8')));
    }
    return byReference;
  }

  #reportSyntax(file: string, source: string, message: string, loc?: { line: number; column: number }): void {
    const what = (/\[\w+\] (.*)/.exec(message)?.[1] ?? message.split('\n')[0] ?? message).trim();
    this.problems.push({
      code: 'BUNDLE_FAILED',
      what,
      fix: 'correct the syntax',
      file,
      source,
      ...(loc && { line: loc.line, column: loc.column }),
    });
  }

  #reportUnresolved(file: string, source: string, { specifier, at }: ModuleRequest): void {
    this.problems.push({
      code: 'IMPORT_UNRESOLVED',
      what: `cannot resolve '${specifier}'`,
      fix: specifier.startsWith('.')
        ? 'correct the path'
        : 'install the package, or name it with --external if hosts and executors have it',
      file,
      source,
      ...at,
      length: specifier.length + 2,
    });
  }

  #refuseNative(name: string, file?: string, source?: string, specifier?: string): void {
    if (this.#nativePackages.has(name)) return;
    this.#nativePackages.add(name);
    this.problems.push({
      code: 'NATIVE_ADDON',
      what: `package '${name}' has a native addon, which cannot be bundled`,
      fix: `install it on the driver and on every executor, and submit with --external ${name}`,
      ...(file !== undefined &&
        source !== undefined &&
        specifier !== undefined && {
          file,
          source,
          ...locate(source, specifier),
          length: specifier.length + 2,
        }),
    });
  }
}

/** The first import of `specifier` in the author's text. */
function locate(source: string, specifier: string): { line: number; column: number } | undefined {
  const lines = source.split('\n');
  for (const [index, text] of lines.entries()) {
    const column = Math.max(text.indexOf(`'${specifier}'`), text.indexOf(`"${specifier}"`));
    if (column >= 0 && /\b(?:from|import)\b|^\s*['"]/.test(text)) return { line: index + 1, column };
  }
  return undefined;
}

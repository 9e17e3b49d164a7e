import { readFile } from 'node:fs/promises';
import type { Plugin, PluginContext } from 'rolldown';
import { stripTypes } from '../transform/strip-types.ts';
import { type TransformedModule, transformModule } from '../transform/transform-module.ts';
import { strangeApi } from './api-version.ts';
import type { BundleProblem } from './bundle-problem.ts';
import {
  apiProblem,
  awaitProblem,
  nativeProblem,
  STYLESHEET,
  stylesheetProblem,
  syntaxProblem,
  type UserFile,
  unresolvedProblem,
} from './module-problems.ts';
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

/** As the author wrote it, whole: rolldown would drop a bare `while (true) {}`, and `check` would find nothing. */
interface UserText {
  readonly code: string;
  readonly map?: never;
  readonly moduleType: 'js';
  readonly moduleSideEffects: 'no-treeshake';
}

function userText(code: string, map?: unknown): UserText {
  return {
    code,
    ...(map !== undefined && { map: map as never }),
    moduleType: 'js',
    moduleSideEffects: 'no-treeshake',
  };
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
  readonly #strangeImporters = new Set<string>();

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
          if (isExternal(id, this.#externals)) {
            if (importer !== undefined && id.startsWith('@millrace/')) this.#refuseStrangeApi(id, importer);
            return { id, external: true };
          }
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
  async transform(context: PluginContext, path: string): Promise<UserText> {
    const file = fileLabel(this.#sourceRoot, path);
    // JavaScript reads both line endings alike, also in template literals: a checkout on Windows is the same program.
    const source = (await readFile(path, 'utf8')).replaceAll('\r\n', '\n');
    const stripped = stripTypes(path, source);
    if ('message' in stripped) {
      this.problems.push(syntaxProblem({ file, source }, stripped.message, stripped.loc));
      return userText('export {}');
    }
    const { map } = stripped;
    if (beginsWithUseExecutor(source)) return userText(stripped.code, map);
    const unresolved = new Set<string>();
    const byReference = await this.#classifyImports(context, path, file, source, stripped.code, unresolved);
    const module = transformModule({
      code: stripped.code,
      map,
      source,
      file,
      isByReference: (specifier) => byReference.get(specifier) ?? true,
    });
    this.#check(path, { file, source }, module, unresolved);
    this.sources.set(file, source);
    this.modules.set(file, module);
    for (const { key, specifier, name } of module.imports)
      this.imports.set(key, { specifier, name, importer: path });
    for (const specifier of module.sideEffectImports)
      this.sideEffects.push({ specifier, name: '', importer: path });
    return userText(module.code, module.map);
  }

  /**
   * When all have been read, each at its own speed: from here on their order is that of their names, and side effects come
   * in the order in which the modules are evaluated. Otherwise the program's hash would depend on the disk.
   */
  settle(evaluated: readonly string[]): void {
    for (const known of [this.modules, this.sources] as Map<string, unknown>[]) {
      const sorted = [...known].toSorted(([a], [b]) => (a < b ? -1 : 1));
      known.clear();
      for (const [file, value] of sorted) known.set(file, value);
    }
    const places = new Map(evaluated.map((id, index) => [id, index]));
    const place = ({ importer }: ImportRecord): number => places.get(importer) ?? evaluated.length;
    this.sideEffects.sort(
      (a, b) => place(a) - place(b) || (a.importer < b.importer ? -1 : Number(a.importer > b.importer)),
    );
  }

  #check(path: string, from: UserFile, module: TransformedModule, unresolved: ReadonlySet<string>): void {
    for (const request of module.requests) {
      if (unresolved.has(request.specifier)) this.problems.push(unresolvedProblem(from, request));
      if (STYLESHEET.test(request.specifier)) this.problems.push(stylesheetProblem(from, request));
      const strange = strangeApi(request.specifier, path);
      if (strange !== undefined) this.problems.push(apiProblem(strange, from, request));
    }
    for (const found of module.topLevelAwaits) this.problems.push(awaitProblem(from, found));
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
        else if (hasNativeBinding(owner.directory))
          this.#refuseNative(owner.name, { file, source, specifier });
        continue;
      }
      this.resolved.set(`${file}\0${specifier}`, fileLabel(this.#sourceRoot, found.id));
      byReference.set(specifier, beginsWithUseExecutor(await readFile(found.id, 'utf8')));
    }
    return byReference;
  }

  #refuseNative(name: string, from?: UserFile & { readonly specifier: string }): void {
    if (this.#nativePackages.has(name)) return;
    this.#nativePackages.add(name);
    this.problems.push(nativeProblem(name, from));
  }

  /** Of a package that imports the API: its file, once. */
  #refuseStrangeApi(id: string, importer: string): void {
    const strange = isUserFile(importer) ? undefined : strangeApi(id, importer);
    const file = fileLabel(this.#sourceRoot, importer);
    if (strange === undefined || this.#strangeImporters.has(file)) return;
    this.#strangeImporters.add(file);
    this.problems.push(apiProblem(strange, { file }));
  }
}

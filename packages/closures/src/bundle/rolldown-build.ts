import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { messageOf } from '@millrace/common';
import { type InputOptions, type OutputOptions, type RolldownOutput, rolldown } from 'rolldown';
import { type BundleProblem, bundleError } from './bundle-problem.ts';
import { CLOSURES_ENTRY, executorPlugin } from './executor-plugin.ts';
import type { BundleFile } from './job-bundle.ts';
import { fileLabel } from './source-root.ts';
import { UserModules } from './user-modules.ts';

interface Built {
  readonly user: UserModules;
  readonly files: BundleFile[];
}

/** Two bundles of one job: what the host evaluates, and what executors load. Throws the coded error of all problems. */
export async function buildBundles(
  entry: string,
  sourceRoot: string,
  externals: readonly string[],
): Promise<Built> {
  const user = new UserModules(sourceRoot, externals);
  const common: InputOptions = {
    cwd: sourceRoot,
    platform: 'node',
    logLevel: 'silent',
    tsconfig: false,
    // Comments with module paths would make the program's hash depend on the directory.
    experimental: { attachDebugInfo: 'none' },
  };
  const driver = await run(
    user,
    sourceRoot,
    { ...common, input: { driver: entry }, plugins: [user.commonPlugin(), user.plugin()] },
    { entryFileNames: 'driver.mjs', codeSplitting: false },
  );
  user.settle(driver.output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])));
  const executor = await run(
    user,
    sourceRoot,
    {
      ...common,
      input: { closures: CLOSURES_ENTRY },
      plugins: [user.commonPlugin(), executorPlugin(user, sourceRoot)],
    },
    { entryFileNames: 'executor/[name].mjs', chunkFileNames: 'executor/[name]-[hash].mjs' },
  );
  return { user, files: [...bundleFiles(driver, sourceRoot), ...bundleFiles(executor, sourceRoot)] };
}

async function run(
  user: UserModules,
  sourceRoot: string,
  input: InputOptions,
  output: OutputOptions,
): Promise<RolldownOutput> {
  let result: RolldownOutput | undefined;
  let failure: unknown;
  try {
    const bundler = await rolldown(input);
    try {
      result = await bundler.generate({ ...OUTPUT, ...output });
    } finally {
      await bundler.close();
    }
  } catch (error) {
    failure = error;
  }
  // Our own findings are complete and have their places; what rolldown says then is often their consequence.
  if (user.problems.length > 0) throw bundleError(user.problems);
  if (result === undefined) throw bundleError(problemsOf(failure, sourceRoot, user));
  return result;
}

const OUTPUT: OutputOptions = {
  format: 'esm',
  sourcemap: 'hidden',
  minify: false,
  // Of two classes of one name, one is renamed: `error.constructor.name` must not show it.
  keepNames: true,
};

interface RolldownProblem {
  readonly message: string;
  readonly code?: string;
  readonly id?: string;
  readonly loc?: { readonly line: number; readonly column: number; readonly file?: string };
}

function problemsOf(failure: unknown, sourceRoot: string, user: UserModules): BundleProblem[] {
  const problems = (failure as { errors?: RolldownProblem[] } | undefined)?.errors ?? [
    { message: messageOf(failure) },
  ];
  return problems.map(({ message, code, id, loc }) => {
    // Of a stylesheet rolldown gives the text for its path.
    const path = [id, loc?.file].find((each) => each !== undefined && existsSync(each));
    const file = path === undefined ? undefined : fileLabel(sourceRoot, path);
    const [headline = ''] = message.replaceAll(sourceRoot, '.').split('\n');
    const missing = MISSING_EXPORT.exec(headline);
    return {
      code: code === 'UNRESOLVED_IMPORT' ? 'IMPORT_UNRESOLVED' : 'BUNDLE_FAILED',
      what:
        missing === null
          ? headline.replace(/^\[\w+\] /, '')
          : `'${missing[2]}' does not export \`${missing[1]}\``,
      fix: missing === null ? '' : `export \`${missing[1]}\` there, or correct the name`,
      ...(file !== undefined && { file }),
      ...(file !== undefined && loc !== undefined && positionOf(user, file, loc)),
      ...(missing !== null && { length: missing[1]?.length ?? 1 }),
    };
  });
}

const MISSING_EXPORT = /"([^"]+)" is not exported by "([^"]+)"/;

/** rolldown counts in what we gave it: the transformed text. */
function positionOf(
  user: UserModules,
  file: string | undefined,
  { line, column }: { readonly line: number; readonly column: number },
): { line: number; column: number; source?: string } {
  const module = file === undefined ? undefined : user.modules.get(file);
  if (file === undefined || module === undefined) return { line, column };
  const original = originalPositionFor(new TraceMap(module.map), { line, column });
  const source = user.sources.get(file);
  return {
    line: original.line ?? line,
    column: original.column ?? column,
    ...(source !== undefined && { source }),
  };
}

function bundleFiles(output: RolldownOutput, sourceRoot: string): BundleFile[] {
  const text = new TextEncoder();
  const files: BundleFile[] = [];
  for (const chunk of output.output) {
    if (chunk.type === 'asset') {
      if (chunk.fileName.endsWith('.map')) continue;
      const content = typeof chunk.source === 'string' ? text.encode(chunk.source) : chunk.source;
      files.push({ path: chunk.fileName, content });
      continue;
    }
    const isDriver = chunk.fileName === 'driver.mjs';
    const code = isDriver ? `${chunk.code}\n//# sourceMappingURL=maps/driver.mjs.map\n` : chunk.code;
    files.push({ path: chunk.fileName, content: text.encode(code) });
    if (chunk.map) {
      const { version, names, mappings } = chunk.map;
      const sources = chunk.map.sources.map((source) => sourceLabel(source, chunk.fileName, sourceRoot));
      const map = { version, names, mappings, sources };
      files.push({ path: `maps/${chunk.fileName}.map`, content: text.encode(JSON.stringify(map)) });
    }
  }
  return files;
}

/** rolldown writes sources relative to the place that the chunk would have in `dist`. */
function sourceLabel(source: string, chunk: string, sourceRoot: string): string {
  return fileLabel(sourceRoot, resolve(sourceRoot, 'dist', dirname(chunk), source));
}

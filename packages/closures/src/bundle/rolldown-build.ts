import { dirname, resolve } from 'node:path';
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
      result = await bundler.generate({ format: 'esm', sourcemap: 'hidden', minify: false, ...output });
    } finally {
      await bundler.close();
    }
  } catch (error) {
    failure = error;
  }
  // Our own findings are complete and have their places; what rolldown says then is often their consequence.
  if (user.problems.length > 0) throw bundleError(user.problems);
  if (result === undefined) throw bundleError(problemsOf(failure, sourceRoot));
  return result;
}

interface RolldownProblem {
  readonly message: string;
  readonly code?: string;
  readonly id?: string;
  readonly loc?: { readonly line: number; readonly column: number; readonly file?: string };
}

function problemsOf(failure: unknown, sourceRoot: string): BundleProblem[] {
  const problems = (failure as { errors?: RolldownProblem[] } | undefined)?.errors ?? [
    { message: messageOf(failure) },
  ];
  return problems.map(({ message, code, id, loc }) => ({
    code: code === 'UNRESOLVED_IMPORT' ? 'IMPORT_UNRESOLVED' : 'BUNDLE_FAILED',
    what: message.replaceAll(sourceRoot, '.'),
    fix: '',
    ...(id !== undefined && { file: fileLabel(sourceRoot, id) }),
    ...(loc !== undefined && { line: loc.line, column: loc.column }),
  }));
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

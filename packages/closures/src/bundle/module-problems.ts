import { MILLRACE_VERSION } from '@millrace/common';
import type { ModuleRequest } from '../transform/module-imports.ts';
import type { TopLevelAwait } from '../transform/top-level-await.ts';
import type { BundleProblem } from './bundle-problem.ts';

/** A user file: its label and text. */
export interface UserFile {
  readonly file: string;
  readonly source: string;
}

export function syntaxProblem(
  { file, source }: UserFile,
  message: string,
  loc?: { readonly line: number; readonly column: number },
): BundleProblem {
  const what = (/\[\w+\] (.*)/.exec(message)?.[1] ?? message.split('\n')[0] ?? message).trim();
  return {
    code: 'BUNDLE_FAILED',
    what,
    fix: 'correct the syntax',
    file,
    source,
    ...(loc && { line: loc.line, column: loc.column }),
  };
}

export function unresolvedProblem(from: UserFile, { specifier, at }: ModuleRequest): BundleProblem {
  return {
    code: 'IMPORT_UNRESOLVED',
    what: `cannot resolve '${specifier}'`,
    fix: specifier.startsWith('.')
      ? `correct the path '${specifier}'`
      : `install the package:  npm install ${specifier}   or name it with --external if hosts and executors have it`,
    ...from,
    ...at,
    length: specifier.length + 2,
  };
}

export const STYLESHEET = /\.(?:css|s[ac]ss|less)$/;

export function stylesheetProblem(from: UserFile, { specifier, at }: ModuleRequest): BundleProblem {
  return {
    code: 'BUNDLE_FAILED',
    what: `'${specifier}' is a stylesheet, which a job cannot import`,
    fix: `remove this import; of a module that is shared with a web page, import only what has no styles`,
    ...from,
    ...at,
    length: specifier.length + 2,
  };
}

/** The job is known only when its module has been evaluated: what that waits for would hold up its driver, every start again. */
export function awaitProblem(from: UserFile, { at, statement }: TopLevelAwait): BundleProblem {
  return {
    code: 'JOB_TOP_LEVEL_AWAIT',
    what: 'a module of a job cannot wait at its top level: the job would not be known before that ends',
    fix: `wait in the function given to defineJob, which may be async:  ${statement}`,
    ...from,
    ...at,
    length: 'await'.length,
  };
}

/** `from`: the file that imports it; of a package there is no source. */
export function apiProblem(
  { name, version }: { readonly name: string; readonly version: string },
  from: Partial<UserFile> & Pick<UserFile, 'file'>,
  request?: ModuleRequest,
): BundleProblem {
  return {
    code: 'API_VERSION_MISMATCH',
    what: `this imports ${name} ${version}, but the job is bundled for ${MILLRACE_VERSION}: it would meet another version than it was written for`,
    fix: `install one version for all files of the job:  npm install ${name}@${MILLRACE_VERSION}`,
    ...from,
    ...(request && { ...request.at, length: request.specifier.length + 2 }),
  };
}

export function nativeProblem(name: string, from?: UserFile & { readonly specifier: string }): BundleProblem {
  return {
    code: 'NATIVE_ADDON',
    what: `package '${name}' has a native addon, which cannot be bundled`,
    fix: `install it on the driver and on every executor, and submit with --external ${name}`,
    ...(from && {
      file: from.file,
      source: from.source,
      ...locate(from.source, from.specifier),
      length: from.specifier.length + 2,
    }),
  };
}

/** The first import of `specifier` in the author's text. */
function locate(source: string, specifier: string): { line: number; column: number } | undefined {
  for (const [index, text] of source.split('\n').entries()) {
    const column = Math.max(text.indexOf(`'${specifier}'`), text.indexOf(`"${specifier}"`));
    if (column >= 0 && /\b(?:from|import)\b|^\s*['"]/.test(text)) return { line: index + 1, column };
  }
  return undefined;
}

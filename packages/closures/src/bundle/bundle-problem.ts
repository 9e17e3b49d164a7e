import { type ErrorCode, MillraceError } from '@millrace/common';
import { codeFrame } from '../errors/code-frame.ts';

/** From the most basic to those that may be its consequence. */
const ORDER = [
  'BUNDLE_FAILED',
  'IMPORT_UNRESOLVED',
  'API_VERSION_MISMATCH',
  'JOB_TOP_LEVEL_AWAIT',
  'NATIVE_ADDON',
] as const satisfies readonly ErrorCode[];

/** Something that keeps a job from being bundled. */
export interface BundleProblem {
  readonly code: (typeof ORDER)[number];
  readonly what: string;
  readonly fix: string;
  /** Relative to the source root. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 0. */
  readonly column?: number;
  readonly source?: string;
  /** Length of what is wrong, for the frame. */
  readonly length?: number;
}

/** One error with all problems; its code is that of the most basic one. */
export function bundleError(problems: readonly BundleProblem[]): MillraceError {
  const code =
    ORDER.find((candidate) => problems.some((problem) => problem.code === candidate)) ?? 'BUNDLE_FAILED';
  const first = problems.find((problem) => problem.code === code);
  const errors = problems.map(problemError);
  const [only, ...others] = errors;
  if (only !== undefined && others.length === 0) return only;
  const texts = errors.map((error) => withCode(error));
  return new MillraceError(
    code,
    `${problems.length} problems keep the job from being bundled:\n\n${texts.join('\n\n')}`,
    {
      details: {
        problems: problems.length,
        ...(first?.file !== undefined && { file: first.file }),
        ...(first?.line !== undefined && { line: first.line }),
      },
      problems: errors,
    },
  );
}

/** The first line ends in the code. */
function withCode({ code, what }: MillraceError): string {
  const [headline = '', ...rest] = what.split('\n');
  return [`${headline} [${code}]`, ...rest].join('\n');
}

function problemError(problem: BundleProblem): MillraceError {
  const { code, file, line, column = 0, source, what, fix, length = 1 } = problem;
  const place =
    file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column + 1}: `;
  const frame =
    source === undefined || line === undefined
      ? ''
      : codeFrame(source, [{ line, column, length, text: '', isMain: true }]);
  const parts = [`${place}${what}`, frame, fix === '' ? '' : `  fix: ${fix}`];
  return new MillraceError(code, parts.filter((part) => part !== '').join('\n\n'), {
    details: {
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line, column: column + 1 }),
      reason: what,
      ...(frame !== '' && { frame }),
      fix,
    },
  });
}

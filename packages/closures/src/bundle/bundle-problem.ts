import { type ErrorCode, MillraceError } from '@millrace/common';
import { codeFrame } from '../errors/code-frame.ts';

/** Something that keeps a job from being bundled. */
export interface BundleProblem {
  readonly code: Extract<ErrorCode, 'BUNDLE_FAILED' | 'IMPORT_UNRESOLVED' | 'NATIVE_ADDON'>;
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

const ORDER = ['BUNDLE_FAILED', 'IMPORT_UNRESOLVED', 'NATIVE_ADDON'] as const;

/** One error with all problems; its code is that of the most basic one. */
export function bundleError(problems: readonly BundleProblem[]): MillraceError {
  const code =
    ORDER.find((candidate) => problems.some((problem) => problem.code === candidate)) ?? 'BUNDLE_FAILED';
  const first = problems.find((problem) => problem.code === code);
  const texts = problems.map(describe);
  const what =
    problems.length === 1
      ? (texts[0] ?? '')
      : `${problems.length} problems keep the job from being bundled:\n\n${texts.join('\n\n')}`;
  return new MillraceError(code, what, {
    details: {
      problems: problems.length,
      ...(first?.file !== undefined && { file: first.file }),
      ...(first?.line !== undefined && { line: first.line }),
    },
  });
}

function describe(problem: BundleProblem): string {
  const { file, line, column = 0, source, what, fix } = problem;
  const place =
    file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column + 1}: `;
  const frame =
    source === undefined || line === undefined
      ? ''
      : `\n\n${codeFrame(source, [{ line, column, length: problem.length ?? 1, text: '', isMain: true }])}`;
  return `${place}${what}${frame}${fix === '' ? '' : `\n\n  fix: ${fix}`}`;
}

import { type JobWarning, warningText } from '@millrace/closures/bundle';
import { type MillraceError, problemsOf } from '@millrace/common';
import { errorJson, renderError } from '../error-report.ts';
import type { CheckedJob } from '../job/check-job.ts';
import type { Terminal } from '../terminal.ts';
import { problemJson, warningJson } from './problem-json.ts';

/** What a check found: a sound job, or an error that lists every problem; and warnings of both. */
export interface CheckReport {
  /** As it was given on the command line. */
  readonly job: string;
  readonly outcome:
    | { readonly kind: 'sound'; readonly checked: CheckedJob; readonly programHash: string }
    | { readonly kind: 'refused'; readonly error: MillraceError };
  readonly warnings: readonly JobWarning[];
}

/** For people: the verdict is data, what is wrong goes where errors go. */
export function printReport(
  { job, outcome, warnings }: CheckReport,
  terminal: Terminal,
  options: { readonly verbose: boolean },
): void {
  for (const warning of warnings) {
    const label = terminal.style('err', 'yellow', 'warning:');
    const [first = '', ...rest] = warningText(warning).split('\n');
    const lines = [`${label} ${first}`, ...rest.map((line) => `  ${line}`.trimEnd())];
    terminal.err(`${lines.join('\n')}\n\n`);
  }
  if (outcome.kind === 'refused') {
    terminal.err(renderError(outcome.error, terminal, options));
    return;
  }
  const { application, batchIntervalMs, notes } = outcome.checked;
  const counted = warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`;
  const lines = [
    `${job} is sound: ${application}, a batch every ${batchIntervalMs} ms${warnings.length === 0 ? '' : `; ${counted}`}`,
    ...notes,
  ];
  terminal.out(`${lines.join('\n')}\n`);
}

/** For programs: one document. */
export function reportJson({ outcome, warnings }: CheckReport): Readonly<Record<string, unknown>> {
  const warned = warnings.map((warning) => warningJson(warning));
  if (outcome.kind === 'refused') {
    const problems = problemsOf(outcome.error).map((problem) => problemJson(problem));
    return { kind: 'error', error: errorJson(outcome.error), problems, warnings: warned };
  }
  const { application, batchIntervalMs, notes } = outcome.checked;
  const { programHash } = outcome;
  return {
    kind: 'checked',
    application,
    batchIntervalMs,
    notes,
    programHash,
    problems: [],
    warnings: warned,
  };
}

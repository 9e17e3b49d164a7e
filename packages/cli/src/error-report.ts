import { type ErrorDetails, type ErrorRecord, MillraceError, messageOf, stackOf } from '@millrace/common';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const CAUSES_MAX = 5;

/**
 * An error as people read it: what happened and its code, what to do, where; then its causes. Never a bare stack:
 * the stack comes with `verbose` only. Ends with a line break.
 */
export function renderError(
  error: unknown,
  terminal: Terminal,
  options: { readonly verbose: boolean },
): string {
  const lines: string[] = [];
  const label = terminal.style('err', 'red', 'error:');
  if (error instanceof UsageError) {
    for (const problem of error.problems) lines.push(`${label} ${problem}`);
    return `${lines.join('\n')}\n`;
  }
  lines.push(`${label} ${headline(error)}`, ...advice(error));
  let cause = causeOf(error);
  for (let depth = 0; cause !== undefined && depth < CAUSES_MAX; depth++) {
    lines.push(`  ${terminal.style('err', 'dim', 'because:')} ${headline(cause, true)}`, ...advice(cause));
    cause = causeOf(cause);
  }
  const stack = stackOf(error);
  if (options.verbose && stack !== '') lines.push(terminal.style('err', 'dim', stack));
  else if (!MillraceError.is(error) || error.code === 'INTERNAL') {
    lines.push('  This is a bug of Millrace: run again with --verbose for the stack, and report it.');
  }
  return `${lines.join('\n')}\n`;
}

/** "what [CODE]"; of several lines (a list of problems, a code frame) the first carries the code. */
function headline(error: unknown, isCause = false): string {
  if (!MillraceError.is(error)) return messageOf(error);
  const [first = '', ...rest] = error.what.trimEnd().split('\n');
  // A stranger's error that crossed a process boundary is INTERNAL; as a cause that is no news.
  const code = isCause && error.code === 'INTERNAL' ? '' : ` [${error.code}]`;
  return [`${first}${code}`, ...rest.map((line) => `  ${line}`.trimEnd())].join('\n');
}

function advice(error: unknown): string[] {
  if (!MillraceError.is(error)) return [];
  // `problems` and `codes` count and name what the text lists.
  const { place, problems: _, codes: __, ...rest } = error.details;
  const details = untold(rest, error.what);
  const where = typeof place !== 'string' || place === '' || error.what.includes(place) ? '' : `at ${place}`;
  return [...error.remedy.split('\n'), where, renderDetails(details)]
    .filter((line) => line !== '')
    .map((line) => `  ${line}`);
}

const TOLD = new Set(['reason', 'value', 'path', 'frame', 'fix']);

/** Without what the text says already: its place, and the parts of a report that programs get one by one. */
function untold(details: ErrorDetails, what: string): ErrorDetails {
  const { file, line } = details;
  const isPlaced = file !== undefined && what.includes(line === undefined ? `${file}` : `${file}:${line}:`);
  const told = ([key, value]: [string, unknown]): boolean => {
    if (key === 'file' || key === 'line' || key === 'column') return isPlaced;
    return TOLD.has(key) && typeof value === 'string' && what.includes(value.split('\n')[0] ?? value);
  };
  return Object.fromEntries(Object.entries(details).filter((entry) => !told(entry)));
}

function renderDetails(details: ErrorDetails): string {
  return Object.entries(details)
    .filter(([, value]) => value !== '')
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : value}`,
    )
    .join(' ');
}

function causeOf(error: unknown): unknown {
  // A stranger's cause is for --verbose: its stack prints it.
  if (!MillraceError.is(error) || error.cause === undefined) return undefined;
  const { cause, what } = error;
  const saysMore = !what.includes(MillraceError.is(cause) ? cause.what : messageOf(cause));
  return saysMore ? cause : causeOf(cause);
}

/** The same as data, for `--json`. */
export function errorJson(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof UsageError) return { code: 'USAGE', what: error.message, problems: error.problems };
  return recordJson(MillraceError.toRecord(error));
}

/** The same of an error that came as data; with its stack and its cause where there are any. */
export function recordJson({
  stack,
  cause,
  problems: _inTheText,
  ...record
}: ErrorRecord): Readonly<Record<string, unknown>> {
  return {
    ...record,
    ...(stack === '' ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: recordJson(cause) }),
  };
}

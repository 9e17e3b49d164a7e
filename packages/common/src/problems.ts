import type { ErrorCode } from './error-codes.ts';
import { MillraceError } from './millrace-error.ts';

/** `error`, with the place in the user's code that it is about ("job.ts:12:8"), unless it names one. */
export function placed(error: MillraceError, place: string): MillraceError {
  // A file without a line is one of data.
  const { line, place: known } = error.details;
  if (place === '' || line !== undefined || (known !== undefined && known !== '')) return error;
  if (error.problems !== undefined && error.problems.length > 0) {
    return problemsError(error.problems.map((each) => placed(each, place))) ?? error;
  }
  const record = MillraceError.toRecord(error);
  return MillraceError.fromRecord({ ...record, details: { ...record.details, place } });
}

/** The single problems that `error` stands for: itself, or those that it lists. */
export function problemsOf(error: MillraceError): readonly MillraceError[] {
  return error.problems === undefined || error.problems.length === 0 ? [error] : error.problems;
}

/**
 * Several problems as one error: the only one itself, or one that lists each with code, place and remedy. Its code is
 * theirs, or JOB_INVALID. What itself lists problems is replaced by them.
 */
export function problemsError(found: readonly MillraceError[]): MillraceError | undefined {
  const problems = found.length < 2 ? found : found.flatMap((each) => problemsOf(each));
  const [first, ...others] = problems;
  if (first === undefined || others.length === 0) return first;
  const codes = problems.map(({ code }) => code);
  const code: ErrorCode = codes.every((each) => each === first.code) ? first.code : 'JOB_INVALID';
  const list = problems.map((problem, index) => `\n${listed(problem, `${index + 1}. `)}`);
  return new MillraceError(code, [`${problems.length} problems`, ...list].join('\n'), {
    // Only when another attempt may mend them all.
    retryable: problems.every(({ retryable }) => retryable),
    details: { problems: problems.length, codes: codes.join(',') },
    problems,
  });
}

function listed({ code, what, remedy, details }: MillraceError, number: string): string {
  const { place } = details;
  const where = typeof place === 'string' && place !== '' && !what.includes(place) ? `${place}: ` : '';
  const [headline = '', ...more] = `${where}${what.trimEnd()}`.split('\n');
  const lines = [`${headline} [${code}]`, ...more, ...(remedy === '' ? [] : remedy.split('\n'))];
  return lines
    .map((line, index) => (index === 0 ? number : ' '.repeat(number.length)) + line)
    .map((line) => line.trimEnd())
    .join('\n');
}

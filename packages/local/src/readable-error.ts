import { MillraceError } from '@millrace/common';

const CAUSES_MAX = 5;
/** Where this project's packages are: in a clone, or in somebody's node_modules. */
const OWN = new URL('../..', import.meta.url).href;

/**
 * The error, so that Node prints it well when nobody catches it: it shows the stack, the fields, and the same of causes. So the stack reads as
 * in the `millrace` command (what, remedy, place), followed by the frames that are the program's own; and fields that it repeats are not
 * enumerated. A bug of Millrace keeps its stack.
 */
export function readableError(error: unknown): unknown {
  if (!MillraceError.is(error) || error.code === 'INTERNAL') return error;
  setStack(error, [`${error.name}: ${headline(error)}`, ...advice(error)]);
  hideFields(error, ['what', 'remedy', 'retryable', 'problems']);
  let { cause } = error;
  for (let depth = 0; MillraceError.is(cause) && depth < CAUSES_MAX; depth++) {
    const [first = ''] = (cause.stack ?? '').split('\n');
    setStack(
      cause,
      cause.code === 'INTERNAL' ? [first] : [`${cause.name}: ${headline(cause)}`, ...advice(cause)],
    );
    // A stranger's error that came out of a task: its code and details say nothing.
    hideFields(cause, ['what', 'remedy', 'retryable', 'problems', 'name']);
    if (cause.code === 'INTERNAL') hideFields(cause, ['code', 'details']);
    ({ cause } = cause);
  }
  return error;
}

function setStack(error: MillraceError, lines: readonly string[]): void {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !isForeign(line));
  error.stack = [...lines, ...frames].join('\n');
}

/** Frames of Millrace, of its dependencies and of Node say nothing to whoever wrote the job. */
function isForeign(frame: string): boolean {
  return ['node:', OWN, '/node_modules/', 'eval at fusedLoop', 'at async Promise.'].some((part) =>
    frame.includes(part),
  );
}

function hideFields(error: MillraceError, fields: readonly string[]): void {
  for (const field of fields)
    if (Object.hasOwn(error, field)) Object.defineProperty(error, field, { enumerable: false });
}

/** The code stands at the end of the first line: the others are a list or a piece of code. */
function headline({ what, code }: MillraceError): string {
  const [first = '', ...rest] = what.trimEnd().split('\n');
  return [`${first} [${code}]`, ...rest.map((line) => `  ${line}`.trimEnd())].join('\n');
}

function advice({ what, remedy, details }: MillraceError): string[] {
  const { place } = details;
  const where = typeof place !== 'string' || place === '' || what.includes(place) ? '' : `at ${place}`;
  return [...remedy.split('\n'), where].filter((line) => line !== '').map((line) => `  ${line}`);
}

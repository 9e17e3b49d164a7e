import { types } from 'node:util';
import { ERROR_CODES, type ErrorCode, type ErrorDomain, isErrorCode } from './error-codes.ts';

/** Where and what: topic, partition, offset, file, line … Values are small and never secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface MillraceErrorOptions {
  readonly cause?: unknown;
  /** What the reader can do. A sentence with its full stop. */
  readonly remedy?: string;
  readonly details?: ErrorDetails;
  /** Overrides the code's own flag. */
  readonly retryable?: boolean;
  /** The single ones, when the error stands for several. */
  readonly problems?: readonly MillraceError[];
}

/** Plain data of an error: what crosses process boundaries. Never parsed from a message. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  /** What happened, without remedy and code. */
  readonly what: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;
  readonly stack: string;
  readonly cause?: ErrorRecord;
  /** What the error lists, at most PROBLEMS_MAX of them. They do not cross the network: the text has them. */
  readonly problems?: readonly ErrorRecord[];
}

// What a record may carry, in characters: an error that quotes megabytes must still fit in a message, an event and a log line.
const TEXT_MAX = 64 * 1024;
const STACK_MAX = 32 * 1024;
const PROBLEMS_MAX = 200;

/**
 * The one error class of Millrace: a code, a domain and a retry intent that keep their type across processes.
 * `message` reads "what. remedy [CODE]".
 */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly what: string;
  readonly remedy: string;
  readonly details: ErrorDetails;
  readonly retryable: boolean;
  /** Those that it lists; none when it is a single one. */
  readonly problems: readonly MillraceError[];

  constructor(code: ErrorCode, what: string, options: MillraceErrorOptions = {}) {
    super(
      format(code, what, options.remedy ?? ''),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'MillraceError';
    this.code = code;
    this.what = what;
    this.remedy = options.remedy ?? '';
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.problems = options.problems ?? [];
  }

  get domain(): ErrorDomain {
    return ERROR_CODES[this.code].domain;
  }

  /** True for a MillraceError of any realm or copy of this module; with a code, of that code. */
  static is(error: unknown, code?: ErrorCode): error is MillraceError {
    if (!isErrorLike(error)) return false;
    const candidate = error as { name?: unknown; code?: unknown; what?: unknown };
    return (
      candidate.name === 'MillraceError' &&
      typeof candidate.what === 'string' &&
      (code === undefined || candidate.code === code)
    );
  }

  /** `error` itself when it is one of ours, else a MillraceError of `code` that has it as its cause. */
  static from(error: unknown, code: ErrorCode, options: MillraceErrorOptions = {}): MillraceError {
    if (MillraceError.is(error)) return error;
    return new MillraceError(code, messageOf(error), { ...options, cause: error });
  }

  /** Plain data, causes included (at most 5 deep), for a process boundary. Long texts are cut. */
  static toRecord(error: unknown, depth = 5): ErrorRecord {
    if (!MillraceError.is(error)) {
      return {
        code: 'INTERNAL',
        what: cut(messageOf(error), TEXT_MAX),
        remedy: '',
        retryable: false,
        details: {},
        stack: cut(stackOf(error), STACK_MAX),
        ...causeRecord(error, depth),
      };
    }
    return {
      code: error.code,
      what: cut(error.what, TEXT_MAX),
      remedy: cut(error.remedy, TEXT_MAX),
      retryable: error.retryable,
      details: error.details,
      stack: cut(stackOf(error), STACK_MAX),
      ...causeRecord(error, depth),
      ...problemRecords(error.problems, depth),
    };
  }

  /** The inverse of `toRecord`. A code that this version does not know becomes INTERNAL and is named in the text. */
  static fromRecord(record: ErrorRecord): MillraceError {
    const known = isErrorCode(record.code);
    const error = new MillraceError(
      known ? record.code : 'INTERNAL',
      known ? record.what : `${record.what} (unknown code ${String(record.code)})`,
      {
        remedy: record.remedy,
        retryable: record.retryable,
        details: record.details,
        ...(record.cause ? { cause: MillraceError.fromRecord(record.cause) } : {}),
        ...(record.problems
          ? { problems: record.problems.map((each) => MillraceError.fromRecord(each)) }
          : {}),
      },
    );
    if (record.stack !== '') error.stack = record.stack;
    return error;
  }
}

function causeRecord(error: unknown, depth: number): Pick<ErrorRecord, 'cause'> {
  const cause = isErrorLike(error) ? error.cause : undefined;
  return cause === undefined || depth <= 0 ? {} : { cause: MillraceError.toRecord(cause, depth - 1) };
}

/** An error of another copy of this module may have none. */
function problemRecords(
  problems: readonly MillraceError[] | undefined,
  depth: number,
): Pick<ErrorRecord, 'problems'> {
  if (problems === undefined || problems.length === 0 || depth <= 0) return {};
  return {
    problems: problems.slice(0, PROBLEMS_MAX).map((each) => MillraceError.toRecord(each, depth - 1)),
  };
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = `… (${text.length} characters)`;
  // Within the bound with its note: the next process does not cut it again.
  return text.slice(0, max - note.length) + note;
}

function format(code: ErrorCode, what: string, remedy: string): string {
  const sentence = remedy === '' || /[.!?:\n]$/.test(what) ? what : `${what}.`;
  return remedy === '' ? `${sentence} [${code}]` : `${sentence} ${remedy} [${code}]`;
}

function isErrorLike(value: unknown): value is Error {
  // Under jest `instanceof Error` fails for errors of another realm.
  return value instanceof Error || types.isNativeError(value);
}

// As many tell why a name with several addresses could not be reached.
const AGGREGATED_MAX = 4;

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (isErrorLike(thrown)) {
    if (thrown.message !== '') return thrown.message;
    // An AggregateError of Node's own has no message.
    const { errors } = thrown as { errors?: unknown };
    if (!Array.isArray(errors) || errors.length === 0) return thrown.name;
    const texts = errors
      .slice(0, AGGREGATED_MAX)
      .map((each) => (isErrorLike(each) ? each.message : String(each)));
    return texts.join('; ');
  }
  if (typeof thrown === 'string') return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}

/** The stack of anything that was thrown, or ''. */
export function stackOf(thrown: unknown): string {
  return isErrorLike(thrown) ? (thrown.stack ?? '') : '';
}

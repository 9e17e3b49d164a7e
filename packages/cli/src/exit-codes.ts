import { type ErrorCode, MillraceError } from '@millrace/common';
import { UsageError } from './usage-error.ts';

/** What the command tells the shell. Stable: scripts depend on them. */
export const EXIT = {
  ok: 0,
  jobFailed: 1,
  usage: 2,
  invalid: 3,
  unreachable: 4,
  auth: 5,
  conflict: 6,
  dataLoss: 7,
  timeout: 8,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'ok',
  jobFailed: 'the job failed while it ran',
  usage: 'wrong usage of the command',
  invalid: 'the job did not pass its checks (options, closures, types)',
  unreachable: 'the driver, or Kafka at the start, could not be reached',
  auth: 'not authenticated or not permitted',
  conflict: 'conflict: already running, unknown, or fenced',
  dataLoss: 'refused, because records would be lost',
  timeout: 'a deadline passed',
  interrupted: 'ended by SIGINT (Ctrl-C)',
  terminated: 'ended by SIGTERM',
};

/** The part of `--help` that lists the exit codes. */
export const EXIT_CODES_HELP: string = [
  'Exit codes:',
  ...Object.entries(EXIT).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${MEANINGS[name as keyof typeof EXIT]}`,
  ),
].join('\n');

/** Which exit code an error ends in. A new error code does not compile until it has its line here. */
export const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  INTERNAL: EXIT.jobFailed,
  DEADLINE_EXCEEDED: EXIT.timeout,
  CANCELLED: EXIT.jobFailed,
  DRAIN_TIMEOUT: EXIT.timeout,
  // CONFIG_INVALID is about a job's options; flags of the command are a UsageError.
  CONFIG_INVALID: EXIT.invalid,
  JOB_INVALID: EXIT.invalid,
  JOB_NO_DEFAULT_EXPORT: EXIT.invalid,
  JOB_EVALUATION_FAILED: EXIT.invalid,
  NO_OUTPUT_OPERATION: EXIT.invalid,
  ENV_MISSING: EXIT.invalid,
  BUNDLE_FAILED: EXIT.invalid,
  TYPE_CHECK_FAILED: EXIT.invalid,
  IMPORT_UNRESOLVED: EXIT.invalid,
  NATIVE_ADDON: EXIT.invalid,
  JOB_TOP_LEVEL_AWAIT: EXIT.invalid,
  API_VERSION_MISMATCH: EXIT.invalid,
  CLOSURE_NOT_SHIPPABLE: EXIT.invalid,
  CLOSURE_CAPTURE: EXIT.invalid,
  CLOSURE_WRITES_CAPTURE: EXIT.invalid,
  CLOSURE_USE_BEFORE_INIT: EXIT.invalid,
  CLOSURE_UNTRANSFORMED: EXIT.invalid,
  USER_CODE: EXIT.jobFailed,
  ELEMENT_PROMISE: EXIT.invalid,
  VALUE_DECODE: EXIT.jobFailed,
  VALUE_ENCODE: EXIT.jobFailed,
  OUTPUT_WRITE_FAILED: EXIT.jobFailed,
  OUTPUT_CONFLICT: EXIT.dataLoss,
  OUTPUT_EXPIRED: EXIT.dataLoss,
  KAFKA_UNREACHABLE: EXIT.unreachable,
  KAFKA_AUTH: EXIT.auth,
  KAFKA_PROTOCOL: EXIT.jobFailed,
  UNKNOWN_TOPIC: EXIT.invalid,
  UNKNOWN_PARTITION: EXIT.invalid,
  TOPIC_RECREATED: EXIT.dataLoss,
  OFFSET_OUT_OF_RANGE: EXIT.dataLoss,
  LOG_TRUNCATED: EXIT.dataLoss,
  LEADER_CHANGED: EXIT.jobFailed,
  PRODUCER_FENCED: EXIT.jobFailed,
  TRANSACTION_UNKNOWN: EXIT.jobFailed,
  TRANSACTION_ABORTABLE: EXIT.jobFailed,
  NOT_ENOUGH_REPLICAS: EXIT.jobFailed,
  RECORD_BATCH_CORRUPT: EXIT.dataLoss,
  RECORD_BATCH_UNSUPPORTED: EXIT.jobFailed,
  RECORD_TOO_LARGE: EXIT.jobFailed,
  OFFSET_UNSAFE: EXIT.jobFailed,
  NO_START_OFFSET: EXIT.invalid,
  OFFSET_RANGE_INVALID: EXIT.invalid,
  LOG_CORRUPT: EXIT.dataLoss,
  LOG_WRITE_FAILED: EXIT.jobFailed,
  FENCED: EXIT.conflict,
  STATE_CORRUPT: EXIT.dataLoss,
  STATE_WRITE_FAILED: EXIT.jobFailed,
  STATE_STORE_MISSING: EXIT.invalid,
  STATE_VERSION: EXIT.invalid,
  STATE_MISUSED: EXIT.jobFailed,
  STATE_UNKNOWN: EXIT.conflict,
  STATE_DIR_IN_USE: EXIT.conflict,
  SLOT_LOST: EXIT.jobFailed,
  TASK_OOM: EXIT.jobFailed,
  TASK_TIMEOUT: EXIT.jobFailed,
  TASK_KILLED: EXIT.jobFailed,
  TASK_REFUSED: EXIT.jobFailed,
  EXECUTOR_LOST: EXIT.jobFailed,
  RESULT_TOO_LARGE: EXIT.jobFailed,
  BLOCK_MISSING: EXIT.jobFailed,
  FETCH_FAILED: EXIT.jobFailed,
  BLOCK_CORRUPT: EXIT.jobFailed,
  SHUFFLE_DISK: EXIT.jobFailed,
  PROGRAM_MISSING: EXIT.jobFailed,
  DRIVER_UNREACHABLE: EXIT.unreachable,
  UNAUTHENTICATED: EXIT.auth,
  PERMISSION_DENIED: EXIT.auth,
  VERSION_MISMATCH: EXIT.conflict,
  APPLICATION_EXISTS: EXIT.conflict,
  APPLICATION_UNKNOWN: EXIT.conflict,
  APPLICATION_FAILED: EXIT.jobFailed,
  HOST_LOST: EXIT.jobFailed,
  HOST_UNRESPONSIVE: EXIT.jobFailed,
  MESSAGE_TOO_LARGE: EXIT.invalid,
  BAD_REQUEST: EXIT.invalid,
  // A child command of `dev` or `demo`: see exitCodeOf.
  PROCESS_ENDED: EXIT.jobFailed,
  PORT_IN_USE: EXIT.conflict,
};

/** The exit code of anything that a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  // What ended a child command ends its parent alike.
  if (MillraceError.is(error, 'PROCESS_ENDED')) return knownExitCode(error.details['exitCode']);
  return MillraceError.is(error) ? EXIT_OF_ERROR[error.code] : EXIT.jobFailed;
}

/** The exit code of a child command as this one's own: none, or one that a failure never has, is a failure all the same. */
export function knownExitCode(code: unknown): ExitCode {
  return Object.values(EXIT).find((known) => known === code && known !== EXIT.ok) ?? EXIT.jobFailed;
}

/**
 * The exit code of an application that ended FAILED while it ran: "the job failed", but for what a script must tell apart: a conflict,
 * or records that would be lost. Never a refusal: it had passed its checks. (An unreachable Kafka is the job's failure, not the command's.)
 */
export function jobFailureExitCode(error: unknown): ExitCode {
  const code = exitCodeOf(error);
  return code === EXIT.conflict || code === EXIT.dataLoss ? code : EXIT.jobFailed;
}

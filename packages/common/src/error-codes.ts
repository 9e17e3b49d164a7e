/**
 * Every error code of Millrace: one entry a code. `docs/errors.md` lists them all (a test keeps it complete).
 * domain: who can mend it: the user's code or configuration, something external (Kafka, disk, network), or ourselves.
 * retryable: whether the same attempt may succeed when it is made again unchanged.
 */
export type ErrorDomain = 'user' | 'external' | 'internal';

interface ErrorCodeEntry {
  readonly domain: ErrorDomain;
  readonly retryable: boolean;
  readonly summary: string;
}

const user = (summary: string): ErrorCodeEntry => ({ domain: 'user', retryable: false, summary });
const external = (summary: string, retryable = true): ErrorCodeEntry => ({
  domain: 'external',
  retryable,
  summary,
});
const internal = (summary: string, retryable = false): ErrorCodeEntry => ({
  domain: 'internal',
  retryable,
  summary,
});

export const ERROR_CODES = {
  // everywhere
  INTERNAL: internal('a promise that the code makes to itself was broken: report it'),
  DEADLINE_EXCEEDED: external('a wait ended at its deadline'),
  CANCELLED: internal('the work was cancelled; it did not fail'),
  DRAIN_TIMEOUT: external('an application was stopped before its running batch was done', false),
  // configuration and job modules
  CONFIG_INVALID: user('one or more options are unknown, missing or of the wrong type'),
  JOB_INVALID: user('the job cannot run as it is written; all problems are listed'),
  JOB_NO_DEFAULT_EXPORT: user('the job module has no default export made by defineJob'),
  JOB_EVALUATION_FAILED: user('the job module threw while it was evaluated'),
  NO_OUTPUT_OPERATION: user('the job registers no output operation, so nothing would run'),
  ENV_MISSING: user('an environment variable that env() reads is not set'),
  BUNDLE_FAILED: user('the job module does not compile'),
  TYPE_CHECK_FAILED: user('the job module has type errors'),
  IMPORT_UNRESOLVED: user('an import does not resolve'),
  NATIVE_ADDON: user('a package with a native addon cannot be bundled'),
  JOB_TOP_LEVEL_AWAIT: user('a module of the job waits at its top level'),
  API_VERSION_MISMATCH: user(
    'a job meets another version of @millrace/api than the one that it was written for',
  ),
  // closures
  CLOSURE_NOT_SHIPPABLE: user('a lambda cannot run on an executor'),
  CLOSURE_CAPTURE: user('a lambda captures a value that cannot leave this process'),
  CLOSURE_WRITES_CAPTURE: user('a lambda assigns to a variable of the driver'),
  CLOSURE_USE_BEFORE_INIT: user('a lambda captures a variable before it is initialised'),
  CLOSURE_UNTRANSFORMED: user('a function was not seen by the Millrace transform'),
  // user code in tasks and on the driver
  USER_CODE: { domain: 'user', retryable: true, summary: 'a function of the job threw' },
  ELEMENT_PROMISE: user('an element function returned a Promise'),
  VALUE_DECODE: user('a key or value does not decode'),
  VALUE_ENCODE: user('a row cannot be written as it is: its shape, key, value or another part of it'),
  OUTPUT_WRITE_FAILED: external(
    'a file of an output, or how far it has come in a database, could not be written',
  ),
  OUTPUT_CONFLICT: external(
    'an exactly-once output holds something else than what a batch is about to write',
    false,
  ),
  OUTPUT_EXPIRED: external(
    'a batch is too old to tell what of it an exactly-once output has: Kafka forgets that after a time',
    false,
  ),
  // Kafka
  KAFKA_UNREACHABLE: external('no broker could be reached in time'),
  KAFKA_AUTH: external('the broker refused the credentials', false),
  KAFKA_PROTOCOL: external('the broker answered with an error'),
  UNKNOWN_TOPIC: user('a topic does not exist'),
  UNKNOWN_PARTITION: user('a partition does not exist'),
  TOPIC_RECREATED: external('a topic was deleted and created again', false),
  OFFSET_OUT_OF_RANGE: external('offsets that are needed are no longer, or not yet, in the partition', false),
  LOG_TRUNCATED: external('the partition was truncated below a position that was read', false),
  LEADER_CHANGED: external('the leader of a partition moved'),
  PRODUCER_FENCED: external(
    'another producer has taken over the transactional id, or the transaction was open for too long',
    false,
  ),
  TRANSACTION_UNKNOWN: external(
    'it is not known whether a step of a Kafka transaction was done: only a new init goes on',
  ),
  TRANSACTION_ABORTABLE: external('a step of a Kafka transaction failed: it can only be aborted'),
  NOT_ENOUGH_REPLICAS: external(
    'fewer replicas of a partition are in sync than min.insync.replicas asks for',
  ),
  RECORD_BATCH_CORRUPT: external('a record batch is damaged (CRC, length, compression)', false),
  RECORD_BATCH_UNSUPPORTED: external('a record batch uses a format that is not supported', false),
  OFFSET_UNSAFE: external('an int64 of the broker is above 2^53−1', false),
  RECORD_TOO_LARGE: user('a record is larger than a producer or a broker accepts'),
  NO_START_OFFSET: user('a first run needs startFrom'),
  OFFSET_RANGE_INVALID: user(
    'an offset range that the job names is not [from, until) with from ≤ until, is not in the partition, or is listed twice',
  ),
  // logs and checkpoint store
  LOG_CORRUPT: external('a log is damaged, or was removed, emptied or replaced', false),
  LOG_WRITE_FAILED: external('a log record could not be made durable', false),
  FENCED: external('a newer epoch of this application has taken over', false),
  STATE_CORRUPT: external('a file of keyed state is damaged or missing', false),
  STATE_WRITE_FAILED: external('keyed state could not be made durable', false),
  STATE_STORE_MISSING: user('keyed state needs a directory where it is kept, and there is none'),
  STATE_VERSION: user('keyed state was written by another version of its operator, and nothing migrates it'),
  STATE_MISUSED: user('a function used the state of its key against the rules'),
  STATE_UNKNOWN: user('there is no keyed state of that name, or none of that key'),
  STATE_DIR_IN_USE: user('another driver uses this state directory'),
  // tasks and slots
  SLOT_LOST: external('the process that ran the task ended'),
  TASK_OOM: user('the task used more memory than a slot may'),
  TASK_TIMEOUT: user('the task ran longer than it may'),
  TASK_KILLED: internal('the task was killed by the driver'),
  TASK_REFUSED: internal('the executor takes no more tasks, because it is stopping', true),
  EXECUTOR_LOST: external('the executor that ran the task was lost'),
  RESULT_TOO_LARGE: user('a task result is larger than it may be'),
  BLOCK_MISSING: external('a block is no longer held by anybody'),
  BLOCK_CORRUPT: external('a block of a shuffle is damaged'),
  FETCH_FAILED: external('what map tasks left on an executor for a shuffle could not be read'),
  SHUFFLE_DISK: external(
    'shuffle data could not be written: the disk is full or fails, or a bound is reached',
  ),
  PROGRAM_MISSING: external('a program is not known to the driver'),
  // cluster
  DRIVER_UNREACHABLE: external('the driver could not be reached in time'),
  UNAUTHENTICATED: user('the token is missing or wrong'),
  PERMISSION_DENIED: user('the caller may not do this'),
  VERSION_MISMATCH: user('two sides speak different protocol or Node versions'),
  APPLICATION_EXISTS: user('an application of this name is already running'),
  APPLICATION_UNKNOWN: user('no application of this name is known'),
  APPLICATION_FAILED: user('the application failed'),
  HOST_LOST: external('the application host process ended'),
  HOST_UNRESPONSIVE: user('the application host did not answer in time'),
  MESSAGE_TOO_LARGE: user('a message is larger than it may be'),
  BAD_REQUEST: user('a request is malformed'),
  PROCESS_ENDED: external('a process of this machine that was needed ended', false),
  PORT_IN_USE: user('a port is already taken'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

import { MillraceError, messageOf } from '@millrace/common';
import { kafkaFailure } from '../kafka-failure.ts';
import { isRetryableKafkaError, KAFKA_ERROR, kafkaErrorName } from '../wire/kafka-error.ts';

/**
 * What an answer means for the transaction. RETRY: not done, and may be later. ABORTABLE: never done in this transaction. UNKNOWN: nobody
 * knows, or the numbers of the batches are in doubt: only an init goes on. FENCED, FATAL: the producer is at its end.
 */
export type Verdict = 'DONE' | 'RETRY' | 'ABORTABLE' | 'UNKNOWN' | 'FENCED' | 'FATAL';
export type FailureVerdict = Exclude<Verdict, 'DONE' | 'RETRY'>;

const FENCED: ReadonlySet<number> = new Set([
  KAFKA_ERROR.PRODUCER_FENCED,
  // Also when the coordinator has aborted the transaction because its time was over (KIP-588).
  KAFKA_ERROR.INVALID_PRODUCER_EPOCH,
]);

const FATAL: ReadonlySet<number> = new Set([
  KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
  KAFKA_ERROR.UNSUPPORTED_VERSION,
  KAFKA_ERROR.UNSUPPORTED_FOR_MESSAGE_FORMAT,
  KAFKA_ERROR.INVALID_TRANSACTION_TIMEOUT,
  KAFKA_ERROR.INVALID_REQUEST,
]);

const ABORTABLE: ReadonlySet<number> = new Set([
  KAFKA_ERROR.TRANSACTION_ABORTABLE,
  KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED,
  KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED,
  KAFKA_ERROR.INVALID_TOPIC_EXCEPTION,
  KAFKA_ERROR.MESSAGE_TOO_LARGE,
  KAFKA_ERROR.RECORD_LIST_TOO_LARGE,
  KAFKA_ERROR.INVALID_RECORD,
  KAFKA_ERROR.INVALID_TIMESTAMP,
  KAFKA_ERROR.INVALID_REQUIRED_ACKS,
  KAFKA_ERROR.POLICY_VIOLATION,
  KAFKA_ERROR.UNSUPPORTED_COMPRESSION_TYPE,
  KAFKA_ERROR.INVALID_GROUP_ID,
  KAFKA_ERROR.OFFSET_METADATA_TOO_LARGE,
  KAFKA_ERROR.INVALID_COMMIT_OFFSET_SIZE,
  KAFKA_ERROR.ILLEGAL_GENERATION,
  KAFKA_ERROR.UNKNOWN_MEMBER_ID,
  KAFKA_ERROR.FENCED_INSTANCE_ID,
]);

/** A number that is not known here is UNKNOWN: an init is right after everything. */
export function verdictOf(error: number): Verdict {
  if (error === KAFKA_ERROR.NONE) return 'DONE';
  if (FENCED.has(error)) return 'FENCED';
  if (FATAL.has(error)) return 'FATAL';
  if (ABORTABLE.has(error)) return 'ABORTABLE';
  return isRetryableKafkaError(error) ? 'RETRY' : 'UNKNOWN';
}

/** A step of a transaction has failed for good. Inside of this folder only: callers get `error`. */
export class StepFailure extends Error {
  readonly verdict: FailureVerdict;
  readonly error: MillraceError;

  constructor(verdict: FailureVerdict, error: MillraceError) {
    super(error.message, { cause: error });
    this.name = 'StepFailure';
    this.verdict = verdict;
    this.error = error;
  }
}

/** What to throw when a broker answered `error`: something that a Retrier repeats, or a StepFailure. `what` names the step and the id. */
export function refusal(error: number, what: string, message = ''): Error {
  const verdict = verdictOf(error);
  const plain = kafkaFailure(error, what, {}, message);
  if (verdict === 'DONE' || verdict === 'RETRY') {
    return new MillraceError(plain.code, plain.what, { details: plain.details, retryable: true });
  }
  if (verdict === 'FENCED') return new StepFailure(verdict, fenced(what, error));
  if (verdict === 'UNKNOWN') return new StepFailure(verdict, unknownOutcome(what, plain));
  if (error !== KAFKA_ERROR.INVALID_TRANSACTION_TIMEOUT) return new StepFailure(verdict, plain);
  return new StepFailure(
    verdict,
    new MillraceError('CONFIG_INVALID', plain.what, {
      remedy: 'Give a positive time-out that is not above transaction.max.timeout.ms of the brokers.',
      details: plain.details,
    }),
  );
}

/** What a step has ended in: a StepFailure as it is, everything else as nothing that anybody knows. */
export function judged(error: unknown, what: string): StepFailure {
  if (error instanceof StepFailure) return error;
  if (MillraceError.is(error, 'CANCELLED')) return new StepFailure('UNKNOWN', error);
  return new StepFailure('UNKNOWN', unknownOutcome(what, error));
}

const ANSWER_MS_MIN = 1000;

/**
 * How long to wait for the answer to what is sent when so much of the step's time is left: not just the rest of it, or a last retry would
 * turn a refusal into something that nobody knows, and cost everybody the connection.
 */
export function answerMs(leftMs: number, timeoutMs: number): number {
  return Math.max(leftMs, Math.min(timeoutMs, ANSWER_MS_MIN));
}

/** Sends, once: without an answer nobody knows, and the request may still be on its way. */
export async function sentOnce<T>(what: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    // Refused on our side: no version of the request, or no rights.
    if (MillraceError.is(error) && !error.retryable) throw new StepFailure('FATAL', error);
    throw new StepFailure('UNKNOWN', unknownOutcome(what, error));
  }
}

export function unknownOutcome(what: string, cause: unknown): MillraceError {
  const why = MillraceError.is(cause) ? cause.what : messageOf(cause);
  return new MillraceError('TRANSACTION_UNKNOWN', `It is not known whether ${what} was done: ${why}`, {
    cause,
  });
}

function fenced(what: string, error: number): MillraceError {
  return new MillraceError('PRODUCER_FENCED', `${what} failed: ${kafkaErrorName(error)}`, {
    remedy:
      'Another producer has taken over its transactional id, or the transaction was open for longer than its time-out.',
    details: { kafkaError: kafkaErrorName(error) },
  });
}

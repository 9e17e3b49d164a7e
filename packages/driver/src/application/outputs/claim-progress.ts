import { outputFenced, outputForeign } from '@millrace/api/internal';
import { type Clock, MillraceError } from '@millrace/common';
import {
  claimedProgress,
  isForeign,
  type KafkaClient,
  type Progress,
  progressOffset,
  progressPlace,
  readProgress,
} from '@millrace/kafka';

const PAUSE_MS = 100;
/** One step of an attempt: a coordinator that hangs must not cost the whole deadline. */
const STEP_MS_MAX = 30_000;

export interface ClaimTime {
  /** Of the monotonic clock. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

export interface ClaimOptions {
  readonly client: Pick<KafkaClient, 'transactionalProducer' | 'committedOffsets'>;
  readonly clock: Clock;
  readonly prefix: string;
  readonly epoch: number;
  /** Of the log. */
  readonly log: string;
  /** Of tasks that will use the id: a broker that does not allow it says so now. */
  readonly transactionTimeoutMs: number;
  readonly time: ClaimTime;
  /** Of what counts; it may throw what keeps the claim from being written. */
  readonly check: (found: Progress | undefined, task: number) => void;
  /** What was written before does not count. */
  readonly isAnew?: boolean;
}

/**
 * Takes a transactional id over for this run of the application: what older runs have open under it is aborted, and what they begin they give up.
 * Returns how far the output had got under the id.
 * @throws MillraceError FENCED: a newer run has it; CONFIG_INVALID: the time-out is not allowed; what the last attempt before the deadline ended in.
 */
export async function claimProgress(task: number, options: ClaimOptions): Promise<Progress | undefined> {
  const { clock, time } = options;
  const { deadline, signal } = time;
  for (;;) {
    signal.throwIfAborted();
    const leftMs = Math.max(1, Math.ceil(deadline - clock.monotonic()));
    try {
      return await attempt(task, Math.min(leftMs, STEP_MS_MAX), options);
    } catch (error) {
      // Fenced by a task of an older run that has just begun: its progress is read, and it is over, the next time.
      const mayPass = MillraceError.is(error) && (error.retryable || error.code === 'PRODUCER_FENCED');
      if (!mayPass || clock.monotonic() + PAUSE_MS >= deadline) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

async function attempt(
  task: number,
  stepTimeoutMs: number,
  { client, prefix, epoch, log, transactionTimeoutMs, check, isAnew = false }: ClaimOptions,
): Promise<Progress | undefined> {
  const place = progressPlace(prefix, task);
  const { transactionalId, groupId } = place;
  const producer = client.transactionalProducer({
    transactionalId,
    transactionTimeoutMs,
    stepTimeoutMs,
  });
  await producer.init().catch((error: unknown) => {
    throw isTooLong(error) ? taskTimeoutTooLong(prefix, transactionTimeoutMs, error) : error;
  });
  const found = await readProgress(client, producer, place, stepTimeoutMs);
  if (!isAnew && found && isForeign(found, log)) throw outputForeign(prefix, found, log);
  // Epochs of another log say nothing of this one.
  const claimed = claimedProgress(found?.log === log || !isAnew ? found : undefined, { epoch, log });
  if (claimed === undefined) throw outputFenced(prefix, found?.epoch ?? 0, epoch);
  const counting = isAnew ? undefined : found;
  check(counting, task);
  producer.begin();
  const first = claimedProgress(undefined, { epoch, log }) as Progress;
  await producer.sendOffsets(groupId, [progressOffset(place, isAnew ? first : claimed)]);
  await producer.commit();
  return counting;
}

function isTooLong(error: unknown): boolean {
  return (
    MillraceError.is(error, 'CONFIG_INVALID') && error.details['kafkaError'] === 'INVALID_TRANSACTION_TIMEOUT'
  );
}

function taskTimeoutTooLong(prefix: string, taskTimeoutMs: number, cause: unknown): MillraceError {
  return new MillraceError(
    'CONFIG_INVALID',
    `taskTimeout is ${taskTimeoutMs} ms, which is above transaction.max.timeout.ms of the brokers: no transaction of the exactly-once output ${prefix} may be open for so long`,
    {
      remedy:
        'Give the job a shorter taskTimeout (the brokers allow 15 minutes by default), or raise transaction.max.timeout.ms.',
      details: { output: prefix, taskTimeoutMs },
      cause,
    },
  );
}

import { outputFenced } from '@millrace/api/internal';
import { type Clock, MillraceError } from '@millrace/common';
import {
  claimedProgress,
  type KafkaClient,
  type Progress,
  progressOffset,
  progressPlace,
  readProgress,
} from '@millrace/kafka';

const PAUSE_MS = 100;

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
  /** Of tasks that will use the id: a broker that does not allow it says so now. */
  readonly transactionTimeoutMs: number;
  readonly time: ClaimTime;
  /** May throw what keeps the claim from being written. */
  readonly check?: (task: number, found: Progress | undefined) => void;
  /** What was written before does not count. */
  readonly anew?: boolean;
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
      return await attempt(task, leftMs, options);
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
  leftMs: number,
  { client, prefix, epoch, transactionTimeoutMs, check, anew }: ClaimOptions,
): Promise<Progress | undefined> {
  const place = progressPlace(prefix, task);
  const { transactionalId, groupId } = place;
  const producer = client.transactionalProducer({
    transactionalId,
    transactionTimeoutMs,
    stepTimeoutMs: leftMs,
  });
  await producer.init();
  const found = await readProgress(client, place, leftMs);
  const claimed = claimedProgress(found, epoch);
  if (claimed === undefined) throw outputFenced(prefix, found?.epoch ?? 0, epoch);
  check?.(task, found);
  producer.begin();
  const first = claimedProgress(undefined, epoch) as Progress;
  await producer.sendOffsets(groupId, [progressOffset(place, anew ? first : claimed)]);
  await producer.commit();
  return anew ? undefined : found;
}

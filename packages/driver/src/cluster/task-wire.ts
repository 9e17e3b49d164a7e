import { MillraceError } from '@millrace/common';
import {
  type ExecutorMessage,
  failureRecordFromWire,
  type LaunchTaskInit,
  type Register,
  type TaskEnded,
  type TaskKey,
  type TaskKeyInit,
} from '@millrace/proto';
import type { ExecutorInfo } from './executor-registry.ts';
import type { AttemptEnd, AttemptKey, AttemptOutcome, SchedulerEffect } from './scheduler-messages.ts';

// Wire messages ⇄ the scheduler's own. Encoded stages, tasks, results and accumulators pass unread.

const EMPTY = new Uint8Array();

export function keyToWire(key: AttemptKey): TaskKeyInit {
  const { application, epoch, batchTime, jobId, stageId, partition, attempt } = key;
  return { application, epoch, batchTime, job: jobId, stage: stageId, partition, attempt };
}

function keyFromWire(key: TaskKey): AttemptKey {
  const { application, epoch, batchTime, job, stage, partition, attempt } = key;
  return { application, epoch, batchTime, jobId: job, stageId: stage, partition, attempt };
}

/** `stage` is left out when the launch before on this stream had the same one: with many partitions it is far larger than a task. */
export function launchToWire(
  launch: Extract<SchedulerEffect, { kind: 'launch' }>,
  stageBefore: Uint8Array | undefined,
): LaunchTaskInit {
  const { set, task } = launch;
  return {
    key: keyToWire(launch.key),
    slot: launch.slot,
    programHash: set.programHash,
    ...(set.stage === stageBefore ? {} : { stage: set.stage }),
    task: task.task,
    timeoutMs: set.taskTimeoutMs,
    describes: task.describes,
  };
}

/** @throws MillraceError BAD_REQUEST. */
export function attemptEndFromWire(
  { executorId, blockAddress }: Pick<AttemptEnd, 'executorId' | 'blockAddress'>,
  ended: TaskEnded,
): AttemptEnd {
  const { key, metrics } = ended;
  if (!key) throw new MillraceError('BAD_REQUEST', 'a TaskEnded message lacks its key');
  return {
    executorId,
    blockAddress,
    slot: ended.slot,
    key: keyFromWire(key),
    outcome: outcomeFromWire(ended),
    accumulators: metrics?.accumulators ?? EMPTY,
    metrics: {
      records: metrics?.records ?? 0,
      bytes: metrics?.bytes ?? 0,
      queueMs: metrics?.queueMs ?? 0,
      runMs: metrics?.runMs ?? 0,
      fetchMs: metrics?.fetchMs ?? 0,
      consumerCached: metrics?.consumerCached ?? false,
    },
  };
}

function outcomeFromWire({ outcome, result, resultBlock, failure }: TaskEnded): AttemptOutcome {
  if (outcome === 'result') return { kind: 'result', result: result ?? EMPTY };
  if (outcome === 'resultBlock' && resultBlock) {
    const { blockId, bytes, blockAddress } = resultBlock;
    return { kind: 'remote-result', block: { blockId, bytes, address: blockAddress } };
  }
  if (outcome === 'failure' && failure) return { kind: 'failure', error: failureRecordFromWire(failure) };
  throw new MillraceError('BAD_REQUEST', 'a TaskEnded message lacks its outcome');
}

/** @throws MillraceError BAD_REQUEST when the first message is another one. */
export function registerOf(message: ExecutorMessage): Register {
  if (message.message === 'register' && message.register) return message.register;
  throw new MillraceError('BAD_REQUEST', 'the first message of an executor must be Register');
}

export function infoOf(register: Register): ExecutorInfo {
  const { executorId, host, rack, slots, pid, blockAddress } = register;
  return { id: executorId, host, rack, slots, pid, blockAddress };
}

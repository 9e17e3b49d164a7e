import { deserialize } from 'node:v8';
import type { ErrorRecord } from '@millrace/common';
import { decodeStage, encodeMapOutput } from '@millrace/proto/task';
import type {
  BatchKey,
  KeptKey,
  StageKey,
  TaskBackend,
  TaskDescription,
  TaskEvent,
  TaskSet,
} from '../../task-backend.ts';

/** What becomes of a task: its result, or the error that fails the set. */
export type TaskOutcome =
  | { readonly result: Uint8Array; readonly records: number; readonly accumulators?: Uint8Array }
  | { readonly error: ErrorRecord };

/** Where and when a task ran. */
export interface TaskPlace {
  readonly executorId?: string;
  readonly attempt?: number;
}

/** What a map task leaves: so many bytes in each bucket. */
export function mapOutput(sizes: readonly number[]): Uint8Array {
  return encodeMapOutput({ sizes });
}

/** Buckets that the map tasks of a set fill; undefined: its tasks are no map tasks. */
function bucketsOf(set: TaskSet): number | undefined {
  const { kind, value } = decodeStage(set.stage).action;
  if (kind === 'storeWrite') return 1;
  if (kind !== 'shuffleWrite' || !value) return undefined;
  return (deserialize(value) as { readonly partitioner: { readonly partitions: number } }).partitioner
    .partitions;
}

/**
 * A backend without executors: `perform` is the task; map tasks leave a byte in each bucket. With `manual`, a test plays the events
 * itself.
 */
export class FakeBackend implements TaskBackend {
  slots = 2;
  readonly sets: TaskSet[] = [];
  readonly cancelled: StageKey[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly droppedShuffles: (BatchKey | KeptKey)[] = [];
  putBlobResult: Promise<void> = Promise.resolve();
  readonly #perform: ((set: TaskSet, task: TaskDescription) => TaskOutcome | Promise<TaskOutcome>) | 'manual';
  #listener: (event: TaskEvent) => void = () => undefined;

  constructor(
    perform: ((set: TaskSet, task: TaskDescription) => TaskOutcome | Promise<TaskOutcome>) | 'manual',
  ) {
    this.#perform = perform;
  }

  submit(set: TaskSet): void {
    this.sets.push(set);
    if (this.#perform === 'manual') return;
    for (const task of set.tasks) void this.#run(set, task, this.#perform);
  }

  prefetch(): void {}

  cancel(key: StageKey): void {
    this.cancelled.push(key);
  }

  putBlob(hash: string, content: Uint8Array): Promise<void> {
    this.blobs.set(hash, content);
    return this.putBlobResult;
  }

  dropBlobs(hashes: readonly string[]): void {
    for (const hash of hashes) this.blobs.delete(hash);
  }

  dropShuffle(what: BatchKey | KeptKey): void {
    this.droppedShuffles.push(what);
  }

  onEvent(listener: (event: TaskEvent) => void): void {
    this.#listener = listener;
  }

  emit(event: TaskEvent): void {
    this.#listener(event);
  }

  succeed(
    set: TaskSet,
    partition: number,
    result: Uint8Array,
    records = 1,
    accumulators: Uint8Array = new Uint8Array(),
    { executorId = 'e', attempt = set.firstAttempt ?? 0 }: TaskPlace = {},
  ): void {
    const metrics = { records, bytes: 0, queueMs: 0, runMs: 0, fetchMs: 0, consumerCached: true };
    this.emit({
      kind: 'task-succeeded',
      key: set.key,
      partition,
      attempt,
      executorId,
      blockAddress: `${executorId}:1`,
      result,
      accumulators,
      metrics,
    });
  }

  async #run(
    set: TaskSet,
    task: TaskDescription,
    perform: (set: TaskSet, task: TaskDescription) => TaskOutcome | Promise<TaskOutcome>,
  ): Promise<void> {
    // Results never come while the set is still being submitted.
    await Promise.resolve();
    const bucketsOfMap = bucketsOf(set);
    const outcome: TaskOutcome =
      bucketsOfMap === undefined
        ? await perform(set, task)
        : { result: mapOutput(Array.from({ length: bucketsOfMap }, () => 1)), records: 1 };
    if (this.cancelled.includes(set.key)) return;
    if ('error' in outcome)
      this.emit({ kind: 'set-failed', key: set.key, partition: task.partition, error: outcome.error });
    else this.succeed(set, task.partition, outcome.result, outcome.records, outcome.accumulators);
  }
}

import { setImmediate as endOfTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type Clock, MillraceError } from '@millrace/common';
import type { BlockSource } from '../shuffle/shuffle-reader.ts';
import type { LocalStateSection } from '../state/state-load.ts';
import type { TaskEngine } from '../task/engine-ports.ts';
import { TaskRunner } from '../task/task-runner.ts';
import { taskStorage } from './slot-environment.ts';
import type { FromSlot, ToSlot } from './slot-messages.ts';

type Asked<T> = PromiseWithResolvers<T>;

/** Makes this process a slot: runs what its parent sends, until the parent is gone. */
export function serveSlot(engine: TaskEngine, clock: Clock): void {
  const asked = new Map<string, Asked<Uint8Array>>();
  const askedBlocks = new Map<number, Asked<readonly BlockSource[]>>();
  const askedState = new Map<number, Asked<LocalStateSection>>();
  let blockRequests = 0;
  let stateRequests = 0;
  const aborts = new Map<number, AbortController>();
  /** Tasks run one after the other, in the order they came. */
  let last: Promise<void> = Promise.resolve();
  const runner = new TaskRunner({
    executorId: process.env['MILLRACE_EXECUTOR_ID'] ?? '',
    engine,
    clock,
    fetchBlob(hash) {
      const known = asked.get(hash);
      if (known) return known.promise;
      const request = Promise.withResolvers<Uint8Array>();
      asked.set(hash, request);
      send({ kind: 'need-blob', hash });
      return request.promise;
    },
    ...taskStorage(process.env),
    locate(blocks) {
      const request = Promise.withResolvers<readonly BlockSource[]>();
      const id = blockRequests++;
      askedBlocks.set(id, request);
      send({ kind: 'need-blocks', id, blocks });
      return request.promise;
    },
    fetchState(application, section, ahead) {
      const request = Promise.withResolvers<LocalStateSection>();
      const id = stateRequests++;
      askedState.set(id, request);
      send({ kind: 'need-state', id, application, section, ahead });
      return request.promise;
    },
    onDisposeFailure: (error) => process.stderr.write(`${inspect(error)}\n`),
  });

  function take(message: Extract<ToSlot, { readonly kind: 'run' }>): void {
    const { id } = message;
    const abort = new AbortController();
    aborts.set(id, abort);
    const prepared = runner.prepare(message);
    const run = async (): Promise<void> => {
      const outcome = await runner.run(prepared, abort.signal);
      // A promise that it left rejected is its own failure: that is said first, or the task behind it would be blamed.
      await endOfTurn();
      // It has left before the next one begins: one that never yields, or ends the process, would keep it here.
      await sent({ ...outcome, id, cachedConsumers: runner.consumers.size });
      aborts.delete(id);
    };
    // In this very turn when nothing is before it.
    last = aborts.size === 1 ? run() : last.then(run);
  }

  function onMessage(message: ToSlot): void {
    switch (message.kind) {
      case 'run':
        take(message);
        return;
      case 'abort':
        aborts.get(message.id)?.abort(new MillraceError('TASK_KILLED', message.reason));
        return;
      case 'prefetch':
        for (const range of message.ranges) runner.consumers.prefetch(range);
        return;
      case 'blob':
        taken(asked, message.hash)?.resolve(message.content);
        return;
      case 'blocks':
        taken(askedBlocks, message.id)?.resolve(message.sources);
        return;
      case 'blocks-failed':
        taken(askedBlocks, message.id)?.reject(MillraceError.fromRecord(message.error));
        return;
      case 'state':
        // The supervisor removes it when the task has ended.
        taken(askedState, message.id)?.resolve({ ...message, release: () => undefined });
        return;
      case 'state-failed':
        taken(askedState, message.id)?.reject(MillraceError.fromRecord(message.error));
        return;
      case 'drop-blobs':
        runner.dropBlobs(message.hashes);
        return;
      case 'drop-application':
        runner.dropApplication(message.application, message.belowEpoch);
        return;
      case 'close':
        void runner.close().finally(() => process.exit());
        return;
      case 'blob-failed':
        taken(asked, message.hash)?.reject(MillraceError.fromRecord(message.error));
    }
  }

  process.on('message', (message) => onMessage(message as ToSlot));
  // A slot does not outlive its executor.
  process.on('disconnect', () => process.exit());
  // What is thrown outside of the task's own flow (a timer, an event) is the task's failure all the same, and nothing in this
  // process can be trusted any more: the supervisor ends it. 'unhandledRejection' arrives here, too.
  process.on('uncaughtException', (thrown) => {
    process.stderr.write(`${inspect(thrown)}\n`);
    send({ kind: 'crashed', error: MillraceError.toRecord(MillraceError.from(thrown, 'USER_CODE')) });
  });
  // Signals to the process group (Ctrl-C) are for the supervisor to decide: it lets tasks finish.
  process.on('SIGINT', () => undefined);
  send({ kind: 'ready' });
}

/** What waits for this answer: each is answered once. */
function taken<K, T>(asked: Map<K, Asked<T>>, key: K): Asked<T> | undefined {
  const request = asked.get(key);
  asked.delete(key);
  return request;
}

function send(message: FromSlot): void {
  process.send?.(message);
}

/** Resolves when it has left this process, or cannot. */
function sent(message: FromSlot): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

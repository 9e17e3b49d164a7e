import { randomUUID } from 'node:crypto';
import { deserialize } from 'node:v8';
import type { TaskContextData } from '@millrace/api/internal';
import { MillraceError, placed } from '@millrace/common';
import {
  type ActionMessage,
  encodeMapOutput,
  encodeStateSection,
  type StateSectionRef,
  type StateWriteCall,
} from '@millrace/proto/task';
import type { WrittenShuffle } from '../pipeline/shuffle-write.ts';
import type { TaskStorage } from '../pipeline/task-storage.ts';
import { hashPartition } from '../shuffle/key-hash.ts';
import { type RowBlock, rowsOfBlock } from '../shuffle/row-block.ts';
import { partitionOutOfRange, ShuffleWriter } from '../shuffle/shuffle-writer.ts';
import { functionOf, stateFunction, TURN_ROWS } from './state-functions.ts';
import type { FetchState } from './state-load.ts';
import { encodeChanges, encodeSnapshot, ownState } from './state-rows.ts';
import type { OpenState, StateStore } from './state-store.ts';

/** The keyed state that tasks of this process find. */
export interface TaskStates {
  readonly store: StateStore;
  readonly fetch: FetchState;
}

export interface StateWrite {
  readonly action: Pick<ActionMessage, 'value' | 'place'>;
  readonly functions: readonly Function[];
  readonly task: Pick<TaskContextData, 'epoch' | 'batchTime' | 'partitionId' | 'attemptNumber' | 'signal'>;
  readonly storage: TaskStorage | undefined;
  readonly states: TaskStates | undefined;
}

/** Chunks of rows, or the blocks of a shuffle as they are. */
export type StateInput =
  | { readonly rows: AsyncIterable<unknown[]> }
  | { readonly blocks: AsyncIterable<RowBlock> };

/** Buckets of a stateful operator's map tasks. */
const ROWS = 0;
const SNAPSHOT_ROWS = 1;
const BUCKETS = 2;

/**
 * What a map task of a stateful operator does: takes the state that its batch stands on, gives its rows to the operator's function, leaves the
 * rows that it makes in bucket 0 (and all rows of the state in bucket 1, when somebody wants them), and reports what it changed, as a section of
 * a state file, in its result. The state here is changed only when a later task says that it stands on it.
 * @throws MillraceError USER_CODE, STATE_MISUSED, ELEMENT_PROMISE, STATE_CORRUPT, RESULT_TOO_LARGE, SHUFFLE_DISK; what the rows throw.
 */
export async function writeState(input: StateInput, write: StateWrite): Promise<WrittenShuffle> {
  const { action, functions, task, storage, states } = write;
  if (action.value === undefined || storage === undefined || states === undefined)
    throw new MillraceError('INTERNAL', 'a task of keyed state does not know where it is');
  const call = deserialize(action.value) as StateWriteCall;
  const state = await openState(call, write, states);
  const { table } = state;
  const { batchTime, partitionId: mapPartition, attemptNumber: attempt, signal } = task;
  const written = { shuffle: call.directory, mapPartition, attempt };
  const writer = new ShuffleWriter({
    path: storage.mapOutputPath(written),
    buckets: BUCKETS,
    bufferBytesMax: storage.memoryBytesMax,
    fileBytesMax: storage.fileBytesMax,
    place: action.place,
  });
  const emit = (row: unknown): void => writer.add(ROWS, row, undefined);
  const makeRoom = async (): Promise<void> => {
    signal.throwIfAborted();
    if (writer.isFull) await writer.flush();
  };
  try {
    const operator = stateFunction({ call, functions, state, batchTime, place: action.place });
    if ('blocks' in input) {
      for await (const block of input.blocks) {
        if (!operator.takeBlock || call.initial) operator.take(rowsOfBlock(block), emit);
        else {
          for (let from = 0; from < block.rows; from += TURN_ROWS) {
            operator.takeBlock(block, from, Math.min(from + TURN_ROWS, block.rows), emit);
            await makeRoom();
          }
        }
        await makeRoom();
      }
    } else {
      for await (const chunk of input.rows) {
        operator.take(chunk, emit);
        await makeRoom();
      }
    }
    for (const _ of operator.finish(emit)) await makeRoom();
    const section = sectionOf(call, write, state);
    if (call.snapshots) {
      for (const { key, value } of table.rows()) {
        writer.add(SNAPSHOT_ROWS, [key, value], undefined);
        if (writer.isFull) await makeRoom();
      }
    }
    const inlineBytesMax = Math.min(call.inlineBytesMax, storage.inlineBytesMax ?? 0);
    const { sizes, inline } = writer.inline(inlineBytesMax) ?? (await writer.finish());
    const result = encodeMapOutput({ sizes, ...(inline && { inline }), ...(section && { state: section }) });
    return inline ? { result } : { result, written };
  } finally {
    await writer.abort();
  }
}

async function openState(call: StateWriteCall, write: StateWrite, states: TaskStates): Promise<OpenState> {
  const { application, operator, layout, bases, relayout, partitions } = call;
  const { task, functions, action } = write;
  const { epoch, batchTime, partitionId: partition, signal } = task;
  const wanted = { application, epoch, batchTime, operator, layout, partition };
  const load = { application, operator, fetch: states.fetch, signal };
  const partitionOf =
    functionOf(call, functions, 'partitionOf') ?? ((key: unknown) => hashPartition(key, partitions));
  // A key that is nobody's must not vanish.
  const keeps = (key: unknown): boolean => {
    const owner: unknown = partitionOf(key);
    if (!isIndexOf(owner, partitions)) throw partitionOutOfRange(owner, partitions, action.place);
    return owner === partition;
  };
  const opened = relayout
    ? states.store.gather(wanted, bases, { ...load, keeps })
    : states.store.open(wanted, bases[partition], load);
  const state = await opened.catch((error: unknown) => {
    throw MillraceError.is(error, 'STATE_CORRUPT') ? placed(error, action.place) : error;
  });
  const migrate = functionOf(call, functions, 'migrate');
  if (call.migrateFrom === undefined || migrate === undefined) return state;
  state.soil();
  state.table.replaceValues((value, key) => {
    const migrated = ownState(migrate(value, call.migrateFrom, key), action.place);
    if (migrated !== undefined) return migrated;
    throw new MillraceError('USER_CODE', `migrate of "${operator}" returned undefined`, {
      remedy: 'Return the state in its new form.',
      retryable: false,
      details: { place: action.place },
    });
  });
  return state;
}

function isIndexOf(index: unknown, length: number): boolean {
  return Number.isInteger(index) && (index as number) >= 0 && (index as number) < length;
}

/** What changed, or all; undefined: nothing did. */
function sectionOf(call: StateWriteCall, { action, task }: StateWrite, state: OpenState): Buffer | undefined {
  const { table } = state;
  const { partitionId: partition, batchTime, epoch, attemptNumber } = task;
  const previous = call.relayout ? undefined : call.bases[partition];
  const keys = table.sizeAfter;
  const isWhole =
    previous === undefined || call.migrateFrom !== undefined || call.snapshotOf.includes(partition);
  const { changedKeys } = table;
  if (!isWhole && changedKeys === 0) return undefined;
  // A delta of most of the state would be as large as all of it, and cut no chain.
  const kind = isWhole || changedKeys * 2 >= keys ? 'snapshot' : 'delta';
  const encode = kind === 'snapshot' ? encodeSnapshot : encodeChanges;
  const body = encode(table, action.place);
  const version = versionOf(batchTime, epoch, attemptNumber);
  const oldest = call.timeoutMs === undefined ? undefined : oldestOf(state);
  state.made(version);
  const { application, operator, layout, valueVersion } = call;
  return encodeStateSection(
    {
      application,
      operator,
      partition,
      layout,
      valueVersion,
      kind,
      version,
      ...(previous && { previous: refOf(previous) }),
      epoch,
      batchTime,
      keys,
      ...(oldest === undefined ? {} : { oldest }),
      changed: body.changed,
      removed: body.removed,
    },
    body.blocks,
  );
}

/** No other attempt, of any run of any driver, makes the same one. */
function versionOf(batchTime: number, epoch: number, attempt: number): string {
  return `${epoch}-${batchTime}-${attempt}-${randomUUID().slice(0, 13)}`;
}

function oldestOf({ table }: OpenState): number | undefined {
  for (const { at } of table.rows()) return at;
  return undefined;
}

function refOf({ file, offset, bytes, version }: StateSectionRef): StateSectionRef {
  return { file, offset, bytes, version };
}

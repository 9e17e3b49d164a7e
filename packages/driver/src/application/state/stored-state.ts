import { KEYED_SHAPE, type KeptState } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import type { StateSectionRef } from '@millrace/proto/task';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import { recoverLog } from '../log/log-reader.ts';
import type { ReadState } from './check-state.ts';
import { chainsOf } from './state-chains.ts';

export interface StoredPartition {
  readonly partition: number;
  readonly keys: number;
  /** Of all its sections. */
  readonly bytes: number;
  /** Of the state: no two attempts make the same one. */
  readonly version: string;
  /** The newest first, back to a snapshot. */
  readonly sections: readonly StateSectionRef[];
}

/** Keyed state of one operator, as the last committed batch left it. */
export interface StoredOperator {
  readonly name: string;
  readonly kind: 'keyed' | 'window';
  /** Of the last committed batch that it ran in. */
  readonly batchTime: number;
  /** The user's version of the values. */
  readonly valueVersion: number;
  /** How many there are, with and without keys. */
  readonly partitions: number;
  /** Keys are where their hash says; otherwise a function of the job said where. */
  readonly isHashed: boolean;
  /** Those that have keys, or had. */
  readonly held: readonly StoredPartition[];
}

/** An application's keyed state, as its log names it. */
export interface StoredState {
  /** Of the log. */
  readonly where: string;
  readonly lastCommitted: number | undefined;
  readonly operators: readonly StoredOperator[];
  readonly read: ReadState;
}

const ATTEMPTS = 3;

/**
 * What `use` makes of the state that the last committed batch left; undefined: there is no log. The application may run: files that it removes
 * while they are read are looked for again, by the log as it is then, so `use` may be called again.
 * @throws MillraceError LOG_CORRUPT, STATE_CORRUPT, VERSION_MISMATCH; what `use` throws.
 */
export async function withStoredState<T>(
  application: string,
  store: CheckpointStore,
  use: (state: StoredState) => T | Promise<T>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const state = await readStored(application, store);
      return state && (await use(state));
    } catch (error) {
      const isRemoved = MillraceError.is(error, 'STATE_CORRUPT') || MillraceError.is(error, 'LOG_CORRUPT');
      if (!isRemoved || attempt === ATTEMPTS) throw error;
    }
  }
}

async function readStored(application: string, store: CheckpointStore): Promise<StoredState | undefined> {
  const { log, state: files } = await store.open(application);
  const { state, end } = recoverLog(log);
  if (end === undefined) return undefined;
  return {
    where: log.where,
    lastCommitted: state.lastCommitted,
    operators: [...state.state].map(([name, kept]): StoredOperator => {
      const { shape, batchTime, valueVersion, partitions, layout } = kept;
      return {
        name,
        kind: shape === KEYED_SHAPE ? 'keyed' : 'window',
        batchTime,
        valueVersion,
        partitions,
        isHashed: layout === `hash/${partitions}`,
        held: heldBy(kept, chainsOf(files, name, kept)),
      };
    }),
    read: (...what) => store.readState(application, ...what),
  };
}

function heldBy({ heads }: KeptState, chains: ReturnType<typeof chainsOf>): readonly StoredPartition[] {
  return heads.flatMap((head, partition) => {
    const chain = chains[partition];
    if (!head || !chain) return [];
    const sections = chain.sections.toReversed();
    const bytes = sections.reduce((sum, section) => sum + section.bytes, 0);
    return [{ partition, keys: head.keys, bytes, version: head.version, sections }];
  });
}

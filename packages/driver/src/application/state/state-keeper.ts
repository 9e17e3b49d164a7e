import type { KeptState, StateCall, StateHead } from '@millrace/api/internal';
import { crashPoint, type Logger, MillraceError, messageOf } from '@millrace/common';
import { decodeStateHeader, type StateWriteCall } from '@millrace/proto/task';
import type { LoggedStates, StateChanges, StateCommit } from './logged-state.ts';
import { chainsOf, StateChain } from './state-chains.ts';
import {
  epochOfStateFile,
  type StateFile,
  type StateFiles,
  stateFileName,
  stateWriteFailure,
} from './state-files.ts';

export interface StateKeeperOptions {
  readonly files: StateFiles;
  readonly epoch: number;
  readonly logger: Logger;
  /** What the log says. */
  readonly states: LoggedStates;
  /** Names that operators of the job have. */
  readonly used: ReadonlySet<string>;
  /** Names whose state is to go. */
  readonly dropped: readonly string[];
  /** ms: tasks of batches of the last so many may run again, as windows read their rows; default: none. */
  readonly horizonMs?: number;
}

interface Made {
  readonly head: StateHead;
  readonly kind: 'snapshot' | 'delta';
}

/** What the running batch made of one operator's state. */
interface OperatorBatch {
  readonly call: StateCall;
  readonly made: Map<number, Made>;
}

interface Batch {
  readonly name: string;
  readonly time: number;
  file: StateFile | undefined;
  bytes: number;
  readonly operators: Map<string, OperatorBatch>;
}

/**
 * The files of an application's keyed state. What the tasks of a batch changed is appended to one file of that batch, durable before the commit
 * record that names it; what is not named by the log never was. Files go when no section of them is part of the state any more.
 */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #states: LoggedStates;
  readonly #chains = new Map<string, ReadonlyArray<StateChain | undefined>>();
  #batch: Batch | undefined;
  #dropped: readonly string[];
  /** Something of the log's is not understood: nothing is removed. */
  #keepsAll = false;
  /** How many sections of each file are part of the state, or may be asked for. */
  readonly #uses = new Map<string, number>();
  /** Sections that were replaced by the batch of `time`, which may run again. */
  #replaced: { readonly time: number; readonly files: readonly string[] }[] = [];

  private constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#states = options.states;
    this.#dropped = options.dropped.filter((name) => options.states.has(name));
  }

  /** Looks at all files that the log names, and removes those that it does not. @throws MillraceError STATE_CORRUPT, VERSION_MISMATCH. */
  static open(options: StateKeeperOptions): StateKeeper {
    const keeper = new StateKeeper(options);
    const { files, logger, states, used } = options;
    for (const [name, kept] of states) {
      try {
        const chains = chainsOf(files, name, kept);
        keeper.#chains.set(name, chains);
        for (const chain of chains) keeper.#use(chain?.files ?? []);
      } catch (error) {
        if (used.has(name)) throw error;
        // Nobody reads it now; what is left of it stays.
        keeper.#keepsAll = true;
        logger.warn({ err: error, operator: name }, 'state that no operator of the job uses is damaged');
      }
    }
    keeper.#removeOrphans();
    return keeper;
  }

  /** Of which there is state, without an operator. */
  get unused(): readonly string[] {
    const { used } = this.#options;
    return [...this.#states.keys()].filter((name) => !used.has(name) && !this.#dropped.includes(name));
  }

  /** As the last committed batch left it. */
  stateOf(name: string): KeptState | undefined {
    return this.#states.get(name);
  }

  beginBatch(batchTime: number): void {
    this.#batch?.file?.close();
    this.#batch = {
      name: stateFileName(this.#options.epoch, batchTime),
      time: batchTime,
      file: undefined,
      bytes: 0,
      operators: new Map(),
    };
  }

  /** What the tasks of the operator stand on, and how they write. */
  writeCall(call: StateCall): Pick<
    StateWriteCall,
    'bases' | 'layout' | 'relayout' | 'snapshotOf' | 'partitions'
  > & {
    readonly migrateFrom?: number;
  } {
    const { kept, partitioner, layout, valueVersion, name } = call;
    const chains = this.#isCurrent(call) ? (this.#chains.get(name) ?? []) : [];
    return {
      layout,
      partitions: partitioner.partitions,
      bases: kept?.heads ?? [],
      relayout: kept !== undefined && kept.layout !== layout,
      snapshotOf: chains.flatMap((chain, partition) => (chain?.wantsSnapshot(partition) ? [partition] : [])),
      ...(kept !== undefined && kept.valueVersion !== valueVersion ? { migrateFrom: kept.valueVersion } : {}),
    };
  }

  /**
   * A task of the running batch has succeeded. `section`: what it changed. One that runs again, since its rows were lost, replaces what it said.
   * What a task of an earlier batch says, whose rows a window reads again, is known.
   * @throws MillraceError STATE_WRITE_FAILED; BAD_REQUEST when the section is none.
   */
  add(call: StateCall, partition: number, section: Uint8Array | undefined): void {
    const batch = this.#batch;
    if (batch === undefined || !this.#isCurrent(call)) return;
    const operator = batch.operators.get(call.name) ?? { call, made: new Map<number, Made>() };
    batch.operators.set(call.name, operator);
    operator.made.delete(partition);
    if (section === undefined || section.length === 0) return;
    const { meta } = decodeStateHeader(section, `the result of task ${partition} of "${call.name}"`);
    if (meta.operator !== call.name || meta.partition !== partition)
      throw new MillraceError('BAD_REQUEST', `a task of "${call.name}" brought state of "${meta.operator}"`);
    const { version, keys, oldest, kind } = meta;
    const offset = this.#append(batch, section);
    const head: StateHead = {
      file: batch.name,
      offset,
      bytes: section.length,
      version,
      keys,
      ...(oldest === undefined ? {} : { oldest }),
    };
    operator.made.set(partition, { head, kind });
  }

  /** Makes what the batch changed durable, and says what the commit record has to name; undefined: nothing. @throws MillraceError STATE_WRITE_FAILED. */
  async seal(): Promise<StateChanges | undefined> {
    const batch = this.#batch;
    if (batch === undefined || (batch.operators.size === 0 && this.#dropped.length === 0)) return undefined;
    if (batch.file) crashPoint('state-written');
    try {
      await batch.file?.sync();
    } catch (error) {
      throw stateWriteFailure(error, this.#options.files.where);
    }
    return {
      dropped: this.#dropped,
      operators: [...batch.operators.values()].map(({ call, made }): StateCommit => {
        const { name, shape, partitioner, layout, valueVersion, kept } = call;
        return {
          name,
          shape,
          layout,
          partitions: partitioner.partitions,
          valueVersion,
          whole: kept === undefined || kept.layout !== layout,
          heads: [...made]
            .map(([partition, { head }]) => ({ partition, head }))
            .toSorted((a, b) => a.partition - b.partition),
        };
      }),
    };
  }

  /** The log has the batch's commit. `states`: as it says. Never throws. */
  committed(states: LoggedStates): void {
    const batch = this.#batch;
    this.#states = states;
    if (batch === undefined) return;
    this.#batch = undefined;
    batch.file?.close();
    const gone: string[] = [];
    for (const name of this.#dropped) {
      for (const chain of this.#chains.get(name) ?? []) gone.push(...(chain?.files ?? []));
      this.#chains.delete(name);
    }
    this.#dropped = [];
    for (const [name, { call, made }] of batch.operators) {
      const { kept, partitioner, layout } = call;
      const isWhole = kept === undefined || kept.layout !== layout;
      const known = this.#chains.get(name) ?? [];
      const before = isWhole ? [] : known;
      if (isWhole) for (const chain of known) gone.push(...(chain?.files ?? []));
      const chains = Array.from({ length: partitioner.partitions }, (_, partition) => before[partition]);
      for (const [partition, { head, kind }] of made) {
        const chain = chains[partition];
        this.#use([head.file]);
        if (kind === 'delta' && chain) chain.append(head);
        else {
          gone.push(...(chain?.files ?? []));
          chains[partition] = StateChain.of(head);
        }
      }
      this.#chains.set(name, chains);
    }
    // Written, and named by nobody: a task ran again.
    if (batch.bytes > 0 && !this.#uses.has(batch.name)) this.#remove(batch.name);
    this.#replaced.push({ time: batch.time, files: gone });
    this.#release(batch.time);
  }

  close(): void {
    this.#batch?.file?.close();
    this.#batch = undefined;
  }

  /** It is of the running batch: made from the state as it is, or without it when that does not fit. */
  #isCurrent({ batchTime }: StateCall): boolean {
    return batchTime === this.#batch?.time;
  }

  #append(batch: Batch, section: Uint8Array): number {
    try {
      batch.file ??= this.#options.files.create(batch.name);
      batch.file.append(section);
    } catch (error) {
      throw stateWriteFailure(error, this.#options.files.where);
    }
    const offset = batch.bytes;
    batch.bytes += section.length;
    return offset;
  }

  #use(files: readonly string[]): void {
    for (const file of files) this.#uses.set(file, (this.#uses.get(file) ?? 0) + 1);
  }

  /** What was replaced so long ago that no batch that still may run stands on it. Only files that this keeper knows: another one may write by now. */
  #release(time: number): void {
    const { horizonMs = 0 } = this.#options;
    while (this.#replaced[0] !== undefined && this.#replaced[0].time <= time - horizonMs) {
      for (const file of this.#replaced.shift()?.files ?? []) {
        const uses = (this.#uses.get(file) ?? 0) - 1;
        this.#uses.set(file, uses);
        if (uses > 0) continue;
        this.#uses.delete(file);
        this.#remove(file);
      }
    }
  }

  /** What the log does not name: of batches that were not committed, and of removals that were not made. A newer epoch's are its own. */
  #removeOrphans(): void {
    const { files, epoch } = this.#options;
    for (const name of files.list()) {
      const written = epochOfStateFile(name);
      if (written !== undefined && written < epoch && !this.#uses.has(name)) this.#remove(name);
    }
  }

  #remove(name: string): void {
    if (this.#keepsAll) return;
    try {
      this.#options.files.remove(name);
    } catch (error) {
      this.#options.logger.warn(
        { file: name, reason: messageOf(error) },
        'a file of old state could not be removed; the next start tries again',
      );
    }
  }
}

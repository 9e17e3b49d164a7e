import type { KeptState, StateHead } from '@millrace/api/internal';

/** What a batch made of the state of one operator, as its commit record names it. */
export interface StateCommit {
  readonly name: string;
  readonly shape: string;
  readonly layout: string;
  readonly partitions: number;
  readonly valueVersion: number;
  /** These are all heads; otherwise those that are not named stay. */
  readonly whole: boolean;
  readonly heads: ReadonlyArray<{ readonly partition: number; readonly head: StateHead }>;
}

/** State of all operators that ever had any, by name. */
export type LoggedStates = ReadonlyMap<string, KeptState>;

/** What commit and anchor records say of state. */
export interface StateChanges {
  readonly operators: readonly StateCommit[];
  /** Names whose state is given up. */
  readonly dropped: readonly string[];
}

export const NO_STATE: LoggedStates = new Map();

/** The states after a batch. */
export function statesAfter(
  states: LoggedStates,
  { operators, dropped }: StateChanges,
  batchTime: number,
): LoggedStates {
  const after = new Map(states);
  for (const name of dropped) after.delete(name);
  for (const commit of operators)
    after.set(commit.name, keptAfter(states.get(commit.name), commit, batchTime));
  return after;
}

function keptAfter(before: KeptState | undefined, commit: StateCommit, batchTime: number): KeptState {
  const { shape, layout, partitions, valueVersion, whole, heads } = commit;
  const after: (StateHead | undefined)[] = Array.from({ length: partitions }, (_, partition) =>
    whole ? undefined : before?.heads[partition],
  );
  for (const { partition, head } of heads) after[partition] = head;
  return { batchTime, shape, layout, partitions, valueVersion, heads: after };
}

type HeadTuple = readonly [
  partition: number,
  file: string,
  offset: number,
  bytes: number,
  version: string,
  keys: number,
  oldest?: number,
];

/** As in the log: a thousand partitions take 80 KB. */
export interface StatesJson {
  readonly operators: ReadonlyArray<
    Omit<StateCommit, 'heads'> & { readonly batchTime?: number; readonly heads: readonly HeadTuple[] }
  >;
  readonly dropped?: readonly string[];
}

export function changesToJson({ operators, dropped }: StateChanges): StatesJson {
  return {
    operators: operators.map((commit) => ({
      ...commit,
      heads: commit.heads.map(({ partition, head }) => tupleOf(partition, head)),
    })),
    ...(dropped.length > 0 ? { dropped } : {}),
  };
}

export function changesFromJson({ operators, dropped = [] }: StatesJson): StateChanges {
  return {
    dropped,
    operators: operators.map((commit) => ({
      ...commit,
      heads: commit.heads.map((tuple) => ({ partition: tuple[0], head: headOf(tuple) })),
    })),
  };
}

export function statesToJson(states: LoggedStates): StatesJson {
  return {
    operators: [...states].map(([name, { heads, ...kept }]) => ({
      name,
      ...kept,
      whole: true,
      heads: heads.flatMap((head, partition) => (head ? [tupleOf(partition, head)] : [])),
    })),
  };
}

export function statesFromJson({ operators }: StatesJson): LoggedStates {
  return new Map(
    operators.map(({ batchTime = 0, ...commit }) => {
      const [decoded] = changesFromJson({ operators: [commit] }).operators;
      return [commit.name, keptAfter(undefined, decoded as StateCommit, batchTime)] as const;
    }),
  );
}

function tupleOf(partition: number, { file, offset, bytes, version, keys, oldest }: StateHead): HeadTuple {
  return oldest === undefined
    ? [partition, file, offset, bytes, version, keys]
    : [partition, file, offset, bytes, version, keys, oldest];
}

function headOf(tuple: HeadTuple): StateHead {
  const [, file, offset, bytes, version, keys, oldest] = tuple;
  return { file, offset, bytes, version, keys, ...(oldest === undefined ? {} : { oldest }) };
}

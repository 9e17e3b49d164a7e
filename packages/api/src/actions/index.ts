import { deserialize, serialize } from 'node:v8';
import type { ActionDefinition, LoopAction } from '../lineage/action-definition.ts';
import { refusePromise } from '../lineage/operator-definition.ts';
import type { ActionCall, ActionKind } from '../lineage/rdd-node.ts';
import { kafkaWrite } from './kafka-write.ts';
import { claimPostgres, writePartition } from './postgres-write.ts';

/** In the place of an operator's index. */
const ACTION = -1;

const loop = (kind: ActionKind, rest: Omit<LoopAction, 'kind' | 'form'>): LoopAction => ({
  kind,
  form: 'loop',
  ...rest,
});

/** Every action. Results of the partitions are merged in partition order by the RDD's method of the same name. */
export const ACTIONS: { readonly [K in ActionKind]: ActionDefinition } = {
  /** → rows. */
  collect: loop('collect', {
    state: () => 'const out = [];',
    each: ({ row }) => `out.push(rt.detach(${row}));`,
    end: 'out',
    empty: () => [],
  }),
  /** numbers: [n] → the first n rows. */
  take: loop('take', {
    state: () => 'const out = [];',
    each: ({ row, number }) =>
      `out.push(rt.detach(${row})); if (out.length >= ${number(0)}) { done = true; break rows; }`,
    end: 'out',
    empty: () => [],
  }),
  /** → number of rows. */
  count: loop('count', { state: () => 'let n = 0;', each: () => 'n++;', end: 'n', empty: () => 0 }),
  /** → [] or [value]. */
  reduce: loop('reduce', {
    state: () => 'let some = false, acc;',
    each: ({ row, fn }) =>
      `if (some) { acc = ${fn()}(acc, ${row}); ${refusePromise('acc', ACTION)} } else { some = true; acc = ${row}; }`,
    end: 'some ? [rt.detach(acc)] : []',
    empty: () => [],
  }),
  /** value: zero → the fold of the partition. */
  fold: loop('fold', {
    state: () => 'let acc = rt.zero();',
    each: ({ row, fn }) => `acc = ${fn()}(acc, ${row}); ${refusePromise('acc', ACTION)}`,
    end: 'rt.detach(acc)',
    empty: (zero) => zero,
  }),
  /** value: zero; functions: [sequence] → the aggregate of the partition. */
  aggregate: loop('aggregate', {
    state: () => 'let acc = rt.zero();',
    each: ({ row, fn }) => `acc = ${fn()}(acc, ${row}); ${refusePromise('acc', ACTION)}`,
    end: 'rt.detach(acc)',
    empty: (zero) => zero,
  }),
  foreach: loop('foreach', {
    state: () => '',
    each: ({ row, fn }) => `const did = ${fn()}(${row}); ${refusePromise('did', ACTION)}`,
    end: 'undefined',
    empty: () => undefined,
  }),
  foreachPartition: {
    kind: 'foreachPartition',
    form: 'partition',
    run: (rows, { functions: [f] }) => f?.(rows),
  },
  /** functions: [pool, write]; value: PostgresSettings. */
  postgresWrite: {
    kind: 'postgresWrite',
    form: 'partition',
    run: writePartition,
    empty: () => undefined,
  },
  /** functions: [pool]; value: PostgresClaim. Its dataset has one partition without rows. */
  postgresClaim: { kind: 'postgresClaim', form: 'partition', run: claimPostgres },
  /** numbers: [n, 1 | -1]; functions: [compare?] → the n smallest (or greatest) rows, in order. */
  takeOrdered: loop('takeOrdered', {
    state: ({ fn, number }) => `const best = rt.ordered(${number(0)}, ${number(1)}, ${fn()});`,
    each: ({ row }) => `best.add(${row});`,
    end: 'best.rows.map((row) => rt.detach(row))',
    empty: () => [],
  }),
  /** → [value, count] pairs, in order of first sight. */
  countByValue: loop('countByValue', {
    state: () => 'const counts = new Map();',
    each: ({ row }) =>
      `const key = rt.canonicalKey(${row}); const entry = counts.get(key); if (entry === undefined) counts.set(rt.detach(key), [rt.detach(${row}), 1]); else entry[1]++;`,
    end: '[...counts.values()]',
    empty: () => [],
  }),
  /** → number of records. */
  kafkaWrite: { kind: 'kafkaWrite', form: 'sink', each: kafkaWrite, empty: () => 0 },
  /** → WrittenPart; undefined: the directory is complete. An empty partition is an empty file, as Spark's. */
  fileWrite: { kind: 'fileWrite', form: 'sink', each: ({ row }) => `sink.write(${row});` },
  /** → whether the directory was made; false: it was there already. */
  fileStep: { kind: 'fileStep', form: 'sink', each: () => '' },
  shuffleWrite: { kind: 'shuffleWrite', form: 'shuffle' },
  storeWrite: { kind: 'storeWrite', form: 'shuffle' },
  stateWrite: { kind: 'stateWrite', form: 'shuffle' },
};

/** Result bytes of a task for a partition without rows; undefined when the task must run all the same, or the action is a map task's. */
export function emptyResult(action: ActionCall): Uint8Array | undefined {
  const definition = ACTIONS[action.kind];
  if (definition.form === 'sink' || definition.form === 'partition')
    return definition.empty && encodeResult(definition.empty());
  if (definition.form !== 'loop') return undefined;
  return encodeResult(definition.empty(action.value === undefined ? undefined : deserialize(action.value)));
}

/** What a task's result is on the wire. Plain data only: `detach` has seen to it. */
export function encodeResult(value: unknown): Uint8Array {
  return serialize(value);
}

export function decodeResult(bytes: Uint8Array): unknown {
  return deserialize(bytes);
}

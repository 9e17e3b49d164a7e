import type { OperatorDefinition } from '../lineage/operator-definition.ts';
import type { OperatorKind } from '../lineage/rdd-node.ts';
import { intersectRows, joinRows, subtractRows } from './cogrouped.ts';
import { combine, group, mergeCombiners } from './combine.ts';
import { filter } from './filter.ts';
import { flatMap } from './flat-map.ts';
import { flatMapValues, keyBy, mapValues } from './keyed.ts';
import { map } from './map.ts';
import { mapAsync } from './map-async.ts';
import { glom, mapPartitions, mapPartitionsWithIndex } from './map-partitions.ts';
import { keys, toPair, values, withoutKey } from './pairs.ts';
import { countRows, lookupRows, sampleRows, sortRows, withIndex } from './partition-rows.ts';
import { sample } from './sample.ts';

/** Every narrow operator. */
export const OPERATORS: { readonly [K in OperatorKind]: OperatorDefinition } = {
  map,
  flatMap,
  filter,
  mapPartitions,
  mapPartitionsWithIndex,
  mapAsync,
  glom,
  keyBy,
  mapValues,
  flatMapValues,
  sample,
  combine,
  mergeCombiners,
  group,
  sortRows,
  lookupRows,
  keys,
  values,
  toPair,
  withoutKey,
  withIndex,
  sampleRows,
  countRows,
  joinRows,
  subtractRows,
  intersectRows,
};

/** Whether an empty partition stays empty, so that a task for it need not run. */
export function isEmptyPreserving(kind: OperatorKind): boolean {
  const operator = OPERATORS[kind];
  return operator.form === 'element' || operator.preservesEmpty;
}

import { serialize } from 'node:v8';
import type { ShippedFunction, StateCall, StatefulNode } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import type { ActionMessage, ClosureMessage, StateClosure, StateWriteCall } from '@millrace/proto/task';
import type { StateKeeper } from '../state/state-keeper.ts';

/** What the files of state know of an operator. */
export type DescribeState = StateKeeper['writeCall'];

export interface StateMessageOptions {
  readonly application?: string;
  readonly directory: string;
  readonly inlineBytesMax: number;
  readonly describe?: DescribeState | undefined;
  readonly closure: (fn: ShippedFunction) => ClosureMessage;
}

/** What the tasks of a stateful operator are told. */
export function stateMessage({ call, place }: StatefulNode, options: StateMessageOptions): ActionMessage {
  const { application = '', directory, inlineBytesMax, describe, closure } = options;
  if (describe === undefined) throw new MillraceError('INTERNAL', 'keyed state has no files');
  const { name, mode, valueVersion, timeoutMs, snapshots, initial, left } = call;
  const functions = functionsOf(call);
  const value: StateWriteCall = {
    directory,
    application,
    operator: name,
    mode,
    valueVersion,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    snapshots,
    initial,
    ...(left === undefined ? {} : { left }),
    ...describe(call),
    inlineBytesMax,
    closures: functions.map(({ role }) => role),
  };
  return {
    kind: 'stateWrite',
    closures: functions.map((each) => closure(each.function)),
    numbers: [],
    value: serialize(value),
    place,
  };
}

function functionsOf({
  functions,
  partitioner,
}: StateCall): ReadonlyArray<{ readonly role: StateClosure; readonly function: ShippedFunction }> {
  if (partitioner.kind === 'hash') return functions;
  return [...functions, { role: 'partitionOf', function: partitioner.function }];
}

import { deserialize, serialize } from 'node:v8';
import { seededRandom } from '@millrace/common';
import { ACTIONS } from '../actions/index.ts';
import { canonicalKey } from '../canonical-key.ts';
import { elementPromise } from '../element-function.ts';
import type { ActionCall, OperatorCall } from '../lineage/rdd-node.ts';
import { OPERATORS } from '../operators/index.ts';
import { rowOrder } from '../row-order.ts';
import { rowsOf } from '../rows.ts';
import type { ReferenceFunctions } from './reference-functions.ts';

type Rows = readonly unknown[];

/** What an operator makes of a partition. */
export async function operate(
  operator: OperatorCall,
  shippedFunctions: ReferenceFunctions,
  partition: number,
  rows: Rows,
): Promise<Rows> {
  const { kind, numbers, value, place } = operator;
  const definition = OPERATORS[kind];
  const functions = operator.functions.map((shipped) => shippedFunctions.of(shipped));
  if (definition.form === 'partition') {
    if (rows.length === 0 && definition.preservesEmpty) return [];
    const { signal } = new AbortController();
    const call = { functions, numbers, place, partition, signal, ...(value && { value }) };
    return rowsOf(definition.run(chunks(rows), call)).toArray();
  }
  const fragment = definition.fragment({
    input: 'row',
    output: 'made',
    fn: (j = 0) => `fns[${j}]`,
    number: (j) => String(numbers[j] ?? 0),
    index: 0,
    next: (row) => `out.push(${row});`,
  });
  const out: unknown[] = [];
  const source = `rows: for (const row of rows) { ${fragment} }`;
  compiled(['rows', 'fns', 'out', 'rt'], source)(rows, functions, out, runtime(operator, partition));
  return out;
}

/** What an action brings of a partition. */
export async function act(action: ActionCall, functions: ReferenceFunctions, rows: Rows): Promise<unknown> {
  const definition = ACTIONS[action.kind];
  const lambdas = action.functions.map((shipped) => functions.of(shipped));
  if (action.kind === 'foreachPartition') return lambdas[0]?.(rowsOf(chunks(rows)));
  if (definition.form === 'partition') return undefined;
  if (definition.form === 'shuffle') throw new Error('a shuffle is no action of its own here');
  if (definition.form === 'sink') return rows.length;
  const context = {
    fn: (j = 0) => (lambdas[j] === undefined ? 'undefined' : `fns[${j}]`),
    number: (j: number) => String(action.numbers[j] ?? 0),
  };
  const each = definition.each({ ...context, row: 'row' });
  const source = `let done = false; ${definition.state(context)} rows: for (const row of rows) { ${each} } return ${definition.end};`;
  return compiled(['rows', 'fns', 'rt'], source)(rows, lambdas, runtime(action, 0));
}

function compiled(parameters: readonly string[], source: string): Function {
  // The text is made of our own fragments and numbers only.
  // oxlint-disable-next-line typescript/no-implied-eval -- the operators' own fragments
  return new Function(...parameters, `"use strict"; ${source}`);
}

/** What fragments call; see LoopRuntime of the executor. */
function runtime(call: OperatorCall | ActionCall, partition: number): object {
  const random = seededRandom((call.numbers[2] ?? 0) + partition);
  const promise = (): never => {
    throw elementPromise(call.kind, call.place);
  };
  return {
    promise,
    notIterable: promise,
    truthy: Boolean,
    random: () => random.next(),
    detach: (row: unknown): unknown => deserialize(serialize(row)),
    zero: () => (call.value === undefined ? undefined : (deserialize(call.value) as unknown)),
    canonicalKey,
    ordered(n: number, direction: number, compare?: (a: unknown, b: unknown) => number) {
      const best = {
        rows: [] as unknown[],
        add(row: unknown): void {
          best.rows = [...best.rows, row].toSorted(rowOrder(direction, compare)).slice(0, n);
        },
      };
      return best;
    },
  };
}

/** Small ones, so that operators meet more than one. */
async function* chunks(rows: Rows): AsyncIterable<unknown[]> {
  for (let from = 0; from < rows.length; from += 3) yield rows.slice(from, from + 3);
}

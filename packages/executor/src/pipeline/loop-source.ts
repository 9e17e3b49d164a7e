import { ACTIONS, type ActionKind, OPERATORS, type OperatorKind } from '@millrace/api/internal';
import { invariant } from '@millrace/common';

/** An operator as the generated loop sees it. */
export interface LoopOperator {
  readonly kind: OperatorKind;
  readonly functions: number;
  readonly numbers: readonly number[];
}

/** Where a fused loop's rows come from: the columns of a fetch, those of its records that decode, or arrays of rows. */
export type LoopInput = 'columns' | 'decodable-columns' | 'rows';

/** What becomes of the rows of a fused loop: an action's state, or arrays for the next part of the pipeline. */
export interface LoopEnd {
  readonly action:
    | { readonly kind: ActionKind; readonly functions: number; readonly numbers: readonly number[] }
    | undefined;
  /** Rows are combined by key; see InlineMerge. */
  readonly combine?: { readonly source: string | undefined; readonly collects?: true };
  /** Rows [key, value] go to the buckets of a shuffle. */
  readonly buckets?: true;
}

/**
 * JavaScript of one fused loop: `(ops, act, rt, KafkaRow) => ({ chunk(input, decoders), end() })`.
 * `ops[i][j]` is the j-th lambda of operator i. `chunk` handles one RecordColumns or one array under an action. Else there is `pour(input, decoders, from)`, which
 * stops when a sink, a combiner or buckets are full, or there are rows enough for the next part: `end()` takes these; `rt.at` is the row being worked on, for errors; `done()` says that no more rows are needed.
 * `firstIndex` is the pipeline's index of the first operator. One call site a lambda, so that V8 inlines it; nothing of the user's text is in the source.
 */
export function loopSource(
  operators: readonly LoopOperator[],
  firstIndex: number,
  input: LoopInput,
  end: LoopEnd,
): string {
  const lambdas = operators.flatMap(({ functions }, i) =>
    Array.from({ length: functions }, (_, j) => `const f${i}_${j} = ops[${i}][${j}];`),
  );
  const { state, each, result, isFull } = terminal(end);
  const isChecked = input === 'decodable-columns';
  const first = operators.length === 0 && end.action?.kind === 'count' && !isChecked;
  const body = operators.reduceRight<(row: string) => string>((next, operator, i) => {
    const definition = OPERATORS[operator.kind];
    invariant(definition.form === 'element', `${operator.kind} is not an element operator`);
    return (row) =>
      definition.fragment({
        input: row,
        output: `r${i}`,
        index: firstIndex + i,
        fn: (j = 0) => `f${i}_${j}`,
        number: (j) => String(operator.numbers[j] ?? 0),
        next,
      });
  }, each);
  const row = input === 'rows' ? 'input[i]' : 'new KafkaRow(input, i, decoders)';
  const check = isChecked ? 'if (!rt.decodes(row)) continue rows;' : '';
  const length = input === 'rows' ? 'input.length' : 'input.n';
  // Counting records takes no loop at all: the columns have been decoded and checked already.
  const loop = first
    ? `n += ${length};`
    : `rows: for (let i = ${isFull === undefined ? '0' : 'from'}; i < ${length}; i++) { rt.at = i; const row = ${row}; ${check} ${body('row')} ${isFull === undefined ? '' : `if (${isFull}) return i + 1;`} }`;
  return [
    '"use strict";',
    ...lambdas,
    ...(end.action ? Array.from({ length: end.action.functions }, (_, j) => `const a${j} = act[${j}];`) : []),
    'let done = false;',
    state,
    'return {',
    isFull !== undefined
      ? `pour(input, decoders, from) { ${loop} return ${length}; },`
      : `chunk(input, decoders) { ${loop} },`,
    `end() { return ${result}; },`,
    'done() { return done; } };',
  ].join('\n');
}

interface Terminal {
  readonly state: string;
  readonly each: (row: string) => string;
  readonly result: string;
  /** Expression: it should take no more rows for now. */
  readonly isFull?: string;
}

/** What one row makes comes on top. */
const ROWS_AT_ONCE = 4096;

const INTO_ARRAYS: Terminal = {
  state: 'const out = [];',
  each: (row) => `out.push(${row});`,
  result: 'out.splice(0)',
  isFull: `out.length >= ${ROWS_AT_ONCE}`,
};

function terminal(end: LoopEnd): Terminal {
  const { action, combine, buckets } = end;
  if (combine !== undefined) return combining(combine);
  if (buckets) return INTO_BUCKETS;
  if (action === undefined) return INTO_ARRAYS;
  const definition = ACTIONS[action.kind];
  const context = {
    fn: (j = 0): string => (j < action.functions ? `a${j}` : 'undefined'),
    number: (j: number): string => String(action.numbers[j] ?? 0),
  };
  if (definition.form === 'sink') {
    const each = (row: string): string => definition.each({ ...context, row });
    return { state: 'const sink = rt.sink;', each, result: 'undefined', isFull: 'sink.isFull' };
  }
  invariant(definition.form === 'loop', `${action.kind} is not a loop action`);
  return {
    state: definition.state(context),
    each: (row) => definition.each({ ...context, row }),
    result: definition.end,
  };
}

/** Key and value of a row. A pair that was only made to be taken apart again V8 does not even make. */
function pairOf(row: string): string {
  return `const pair = Array.isArray(${row}) ? ${row} : rt.pair(${row}); const key = pair[0]; const value = pair[1];`;
}

const INTO_BUCKETS: Terminal = {
  state: 'const rows = rt.buckets;',
  each: (row) => `${pairOf(row)} rows.take(key, value);`,
  result: 'undefined',
  isFull: 'rows.isFull',
};

/** A number, the common combiner, is put in its place here, as is one in a list; what else there is to know is the combiner's business. */
function combining({ source, collects }: NonNullable<LoopEnd['combine']>): Terminal {
  const isQuick = collects
    ? "typeof value === 'number') rows.collected();"
    : "typeof made === 'number') combiners[at] = made;";
  const merge =
    source === undefined
      ? ''
      : `else { const combiner = combiners[at]; const made = ${source}; if (${isQuick} else rows.merged(at, checked(made), value); }`;
  return {
    state: 'const { rows, f, checked } = rt.combiner; const { combiners } = rows;',
    each: (row) => `${pairOf(row)} const at = rows.find(key); if (at < 0) rows.take(key, value); ${merge}`,
    result: 'undefined',
    isFull: 'rows.isFull',
  };
}

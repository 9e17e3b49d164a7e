import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { DStream, MapWithStateDStream } from './dstream.ts';
import { DirectStream } from './kafka/direct-stream.ts';
import { KafkaNamespace } from './kafka/kafka-namespace.ts';
import { RDD } from './rdd.ts';
import { StateSpec } from './state/state-spec.ts';
import { BatchRdds } from './stream/compute-rdd.ts';
import { type ContextInternals, StreamingContext } from './streaming-context.ts';
import { unordered } from './testing/datasets.ts';
import { referenceRunner } from './testing/reference-runner.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../../../docs/operators.md', import.meta.url)), 'utf8');
const JOBS = new URL('../../../examples/', import.meta.url);
const ROWS = PAGE.split('\n').filter((line) => line.startsWith('| `'));
const NAMED = new Set(
  ROWS.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`[\w.]*?(\w+)\(/g)].map(([, name = '']) => name),
  ),
);
const EXAMPLES = [...PAGE.matchAll(/^(\S.*) \/\/ (→|in any order:) (.*)$/gm)].map(
  ([, call = '', order = '', result = '']) => ({ call, order, result }),
);
const SETUP = [...PAGE.matchAll(/^(?:const |ssc\.).*;$/gm)].map(([line]) => line).join('\n');

/** The rows of a stream's third batch; undefined for outputs. */
async function thirdBatch(
  stream: DStream<unknown> | undefined,
  { graph: builder }: ContextInternals,
): Promise<unknown> {
  const runner = referenceRunner();
  let rows: readonly unknown[] | undefined;
  stream?.foreachRDD(async (rdd) => {
    rows = await rdd.collect();
  });
  const { graph } = builder;
  expect(builder.finish(runner.ship)).toEqual([]);
  const rdds = new BatchRdds({ graph, runner });
  builder.rdds = rdds;
  for (const time of [1_000, 2_000, 3_000]) {
    rdds.begin({ time, previous: time > 1_000 ? time - 1_000 : undefined, ranges: () => [] });
    for (const { node, run: output } of graph.outputs)
      await output((await rdds.rdd(node)) as RDD<unknown>, time);
    rdds.end();
  }
  return rows;
}

/** What the line gives: the rows of an RDD or of a stream, the entries of a Map, any other value. */
async function run(call: string): Promise<unknown> {
  const ssc = new StreamingContext({ name: 'page', batchIntervalMs: 1_000 });
  ssc.internals.attach(referenceRunner());
  // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
  const made: unknown = await (new Function('ssc', 'StateSpec', `${SETUP}\nreturn ${call};`)(
    ssc,
    StateSpec,
  ) as unknown);
  if (made instanceof RDD) return made.collect();
  if (made instanceof DStream || ssc.internals.graph.graph.outputs.length > 0)
    return thirdBatch(made instanceof DStream ? made : undefined, ssc.internals);
  return made instanceof Map ? [...made] : made;
}

function methods(type: { readonly prototype: object }): string[] {
  const names = new Set<string>();
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function') names.add(name);
  // What TypeScript protects.
  const inner = ['constructor', 'derived', 'element', 'operator', 'shipped', 'plan', 'results'];
  const innerOfStreams = ['checked', 'perBatch', 'planned', 'statefulNode', 'withState'];
  return [...names].filter((name) => ![...inner, ...innerOfStreams].includes(name));
}

/** What has rows in and out: each is shown by a line of the page that runs. */
const OPERATORS = [RDD, DStream, MapWithStateDStream, StateSpec].flatMap(methods);
/** The others may be shown in examples/, which also run. */
const CONTEXT = [StreamingContext, KafkaNamespace, DirectStream]
  .flatMap(methods)
  .filter((name) => !OPERATORS.includes(name));

describe('docs/operators.md', () => {
  it('has a row for every operator, action and source, and for nothing else', () => {
    const all = new Set([...OPERATORS, ...CONTEXT, 'function', 'named']);
    expect([...NAMED].toSorted()).toEqual([...all].toSorted());
  });

  it('says meaning, cost and counterpart of each', () => {
    for (const row of ROWS) if (/^\| `[\w.]+\(/.test(row)) expect(row).toMatch(/^\|(?: [^|]*[^| ] \|){4}$/);
  });

  it('shows an example of every one', () => {
    const shown = EXAMPLES.map(({ call }) => call).join('\n') + SETUP;
    expect(OPERATORS.filter((name) => !shown.includes(`.${name}(`))).toEqual([]);
    const jobs = globSync('**/*.ts', { cwd: JOBS }).map((name) => readFileSync(new URL(name, JOBS), 'utf8'));
    expect(
      CONTEXT.filter((name) => !shown.includes(`.${name}(`) && !jobs.some((job) => job.includes(`.${name}`))),
    ).toEqual([]);
  });

  it.each(EXAMPLES)('$call gives $result', async ({ call, order, result }) => {
    // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
    const expected = new Function(`return [${result}];`)() as unknown[];
    const found = await run(call);
    const rows = Array.isArray(found) ? (found as unknown[]) : [found];
    if (order === '→') expect(rows).toEqual(expected);
    else expect(unordered(rows)).toEqual(unordered(expected));
  });
});

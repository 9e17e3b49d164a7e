import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DStream } from '../dstream.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import { RDD } from '../rdd.ts';
import { StateSpec } from '../state/state-spec.ts';
import { BatchRdds } from '../stream/compute-rdd.ts';
import { type ContextInternals, StreamingContext } from '../streaming-context.ts';

/** A line of docs/operators.md that runs. */
export interface PageExample {
  readonly call: string;
  /** '→' or 'in any order:'. */
  readonly order: string;
  /** The rows, as JavaScript. */
  readonly result: string;
}

export const PAGE = readFileSync(
  fileURLToPath(new URL('../../../../docs/operators.md', import.meta.url)),
  'utf8',
);

/** Of the page: what its examples stand on. */
export const SETUP = [...PAGE.matchAll(/^(?:const |ssc\.).*;$/gm)].map(([line]) => line).join('\n');

export const EXAMPLES: readonly PageExample[] = [
  ...PAGE.matchAll(/^(\S.*) \/\/ (→|in any order:) (.*)$/gm),
].map(([, call = '', order = '', result = '']) => ({ call, order, result }));

/** The page as a module: each example in a function of its own, in the order of EXAMPLES. */
export function pageModule(api: string): string {
  const lines = EXAMPLES.map(({ call }, index) => `  const example${index} = () => ${call};`);
  return `import { type State, StateSpec, type StreamingContext, upsert } from '${api}';
declare class Pool {
  connect(): Promise<{ query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>; release(error?: boolean | Error): void; on(event: string, listener: (...values: never[]) => void): unknown; removeListener(event: string, listener: (...values: never[]) => void): unknown }>;
  end(): Promise<void>;
  on(event: string, listener: (...values: never[]) => void): unknown;
}
export function page(ssc: StreamingContext): readonly (() => unknown)[] {
${SETUP}
${lines.join('\n')}
  return [${EXAMPLES.map((_, index) => `example${index}`).join(', ')}];
}
export type Used = [State<unknown>, typeof StateSpec, typeof upsert, Pool];
`;
}

export interface PageRun {
  readonly runner: JobRunner;
  /** Of each batch of a stream. */
  readonly begin?: (time: number) => void;
  readonly end?: () => void;
}

/** What the line gives: the rows of an RDD or of a stream, the entries of a Map, any other value. */
export async function runExample(call: string, run: PageRun): Promise<unknown> {
  const ssc = new StreamingContext({ name: 'page', batchIntervalMs: 1_000 });
  ssc.internals.attach(run.runner);
  const script = stripTypeScriptTypes(`async (ssc, StateSpec) => { ${SETUP}\nreturn ${call}; }`);
  // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
  const made: unknown = await (new Function(`return ${script.replace(/;\s*$/, '')}`)() as Function)(
    ssc,
    StateSpec,
  );
  if (made instanceof RDD) return made.collect();
  if (made instanceof DStream || ssc.internals.graph.graph.outputs.length > 0)
    return thirdBatch(made instanceof DStream ? made : undefined, ssc.internals, run);
  return made instanceof Map ? [...made] : made;
}

/** The rows of a stream's third batch; undefined for outputs. */
async function thirdBatch(
  stream: DStream<unknown> | undefined,
  { graph: builder }: ContextInternals,
  { runner, begin, end }: PageRun,
): Promise<unknown> {
  let rows: readonly unknown[] | undefined;
  stream?.foreachRDD(async (rdd) => {
    rows = await rdd.collect();
  });
  const { graph } = builder;
  const [problem] = builder.finish(runner.ship);
  if (problem) throw problem;
  const rdds = new BatchRdds({ graph, runner });
  builder.rdds = rdds;
  for (const time of [1_000, 2_000, 3_000]) {
    begin?.(time);
    rdds.begin({ time, previous: time > 1_000 ? time - 1_000 : undefined, ranges: () => [] });
    for (const { node, run: output } of graph.outputs)
      await output((await rdds.rdd(node)) as RDD<unknown>, time);
    rdds.end();
    end?.();
  }
  return rows;
}

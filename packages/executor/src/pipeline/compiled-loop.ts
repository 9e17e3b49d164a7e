import type { RecordColumns } from '@millrace/kafka';
import { KafkaRow, type RowDecoders } from './kafka-row.ts';
import type { LoopRuntime } from './loop-runtime.ts';

/** One run of a fused loop: its state lives here. */
export interface FusedLoop {
  /** Under an action. */
  chunk(input: RecordColumns | readonly unknown[], decoders: RowDecoders | undefined): void;
  /** Else, and under a sink, instead of `chunk`: from this row on, until what takes the rows is full. Returns where it goes on. */
  pour(input: RecordColumns | readonly unknown[], decoders: RowDecoders | undefined, from: number): number;
  /** The action's result; the rows for the next part of the pipeline, each once. */
  end(): unknown;
  /** No more rows are needed. */
  done(): boolean;
}

type LoopFactory = (
  operators: ReadonlyArray<readonly Function[]>,
  action: readonly Function[],
  runtime: LoopRuntime,
  row: typeof KafkaRow,
) => FusedLoop;

const FACTORIES_MAX = 256;
const factories = new Map<string, LoopFactory>();

/**
 * A run of the loop of `source`. Compiled code is kept by source *and places* (of which the running program is one): two pipelines of
 * the same shape, and two runs of one job, must not share one call site, or V8 would no longer inline either's lambdas. A lambda made anew
 * in every batch keeps its place.
 */
export function fusedLoop(
  source: string,
  places: string,
  operators: ReadonlyArray<readonly Function[]>,
  action: readonly Function[],
  runtime: LoopRuntime,
): FusedLoop {
  const key = `${places}\n${source}`;
  let factory = factories.get(key);
  if (factory === undefined) {
    // The text is made of our own fragments and numbers only, never of the user's.
    // oxlint-disable-next-line typescript/no-implied-eval
    factory = new Function('ops', 'act', 'rt', 'KafkaRow', source) as LoopFactory;
    const oldest = factories.keys().next().value;
    if (factories.size >= FACTORIES_MAX && oldest !== undefined) factories.delete(oldest);
  } else {
    factories.delete(key);
  }
  factories.set(key, factory);
  return factory(operators, action, runtime, KafkaRow);
}

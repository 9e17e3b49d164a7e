import { MillraceError } from '@millrace/common';
import type { RDD } from '../rdd.ts';
import type { BatchTime } from '../stream/stream-node.ts';

/**
 * What an output promises about its rows, whatever crashes:
 * - `exactly-once`: readers see each once;
 * - `idempotent`: they may be written again, by which nothing changes;
 * - `at-least-once`: each is written, some perhaps twice.
 */
export type Guarantee = 'exactly-once' | 'idempotent' | 'at-least-once';

const GUARANTEES: readonly Guarantee[] = ['exactly-once', 'idempotent', 'at-least-once'];

/** A place for the rows of a stream: what `writeTo` takes. */
export interface Sink<T> {
  /** Shown at submit. It is the sink's own promise: Millrace runs a batch, and a task, again when it does not know how it ended. */
  readonly guarantee: Guarantee;
  /** Of the output operation, beside its number; default: "writeTo". */
  readonly name?: string;
  /** Where rows go, for whoever submits the job: 'the table "orders"'. */
  readonly describe?: () => string;
  /** Writes one batch: on the driver, with actions on its RDD. Called again with the same time and the same rows after a crash. */
  write(rdd: RDD<T>, time: BatchTime): void | Promise<void>;
}

/** @throws MillraceError JOB_INVALID when it is no sink. */
export function checkSink(sink: unknown): void {
  const { write, guarantee } = Object(sink) as Partial<Sink<unknown>>;
  if (typeof write === 'function' && GUARANTEES.includes(guarantee as Guarantee)) return;
  throw new MillraceError('JOB_INVALID', 'writeTo() needs a sink', {
    remedy: `Give it { guarantee: ${GUARANTEES.map((name) => `'${name}'`).join(' | ')}, write: async (rdd, time) => … }.`,
  });
}

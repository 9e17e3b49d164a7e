import type { Clock } from '@millrace/common';
import type { RecordColumns } from '@millrace/kafka';

/** What reading cost. */
export interface InputMeter {
  records: number;
  /** Of the fetched buffers. */
  bytes: number;
  /** Time that was spent waiting for input. */
  fetchMs: number;
}

/** Measures an input while it is consumed. One look at the clock before and after each set of columns. */
export async function* meterInput(
  input: AsyncIterable<RecordColumns>,
  meter: InputMeter,
  clock: Clock,
): AsyncGenerator<RecordColumns> {
  let buffer: Buffer | undefined;
  let askedAt = clock.monotonic();
  for await (const columns of input) {
    meter.fetchMs += clock.monotonic() - askedAt;
    // Several sets of columns may lie in one fetched buffer.
    if (columns.buf !== buffer) meter.bytes += columns.buf.length;
    buffer = columns.buf;
    meter.records += columns.n;
    yield columns;
    askedAt = clock.monotonic();
  }
  meter.fetchMs += clock.monotonic() - askedAt;
}

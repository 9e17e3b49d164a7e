import { RecordColumns } from '@millrace/kafka';

/** The same records in views of at most `rows` of them. */
export function* columnParts(all: RecordColumns, rows: number): Generator<RecordColumns, void, undefined> {
  if (all.n <= rows) {
    yield all;
    return;
  }
  for (let from = 0; from < all.n; from += rows) {
    const until = Math.min(from + rows, all.n);
    const part = new RecordColumns(all.topic, all.partition, 0);
    part.reset(all.buf);
    part.n = until - from;
    part.offset = all.offset.subarray(from, until);
    part.timestamp = all.timestamp.subarray(from, until);
    part.keyStart = all.keyStart.subarray(from, until);
    part.keyLength = all.keyLength.subarray(from, until);
    part.valueStart = all.valueStart.subarray(from, until);
    part.valueLength = all.valueLength.subarray(from, until);
    part.headerStart = all.headerStart.subarray(from, until);
    yield part;
  }
}

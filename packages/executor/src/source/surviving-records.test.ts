import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { type OffsetRange, type PartitionReader, RecordColumns } from '@millrace/kafka';
import { survivingRecords } from './surviving-records.ts';

const RANGE = { topic: 'views', partition: 0, fromOffset: 10, untilOffset: 20 };

function columnsOf(offsets: readonly number[]): RecordColumns {
  const made = new RecordColumns('views', 0, Math.max(1, offsets.length));
  for (const [i, offset] of offsets.entries()) made.offset[i] = offset;
  made.n = offsets.length;
  return made;
}

const outOfRange = (offset: number, earliest: number): MillraceError =>
  new MillraceError('OFFSET_OUT_OF_RANGE', 'gone', { details: { offset, earliest, latest: 100 } });

/** A reader whose reads go as scripted: offsets of columns, then an error. */
function reading(
  ...script: ReadonlyArray<{ readonly gives: readonly number[]; readonly fails?: MillraceError }>
) {
  const asked: number[] = [];
  const lost: number[] = [];
  const reader = {
    async *read({ fromOffset }: OffsetRange) {
      asked.push(fromOffset);
      const { gives, fails } = script[asked.length - 1] ?? { gives: [] };
      yield columnsOf(gives);
      if (fails) throw fails;
    },
  } as unknown as PartitionReader;
  const options = {
    reuseColumns: false,
    signal: new AbortController().signal,
    lost: (offsets: number) => void lost.push(offsets),
  };
  const read = async (): Promise<number[]> => {
    const offsets: number[] = [];
    for await (const columns of survivingRecords(reader, RANGE, options))
      offsets.push(...columns.offset.slice(0, columns.n));
    return offsets;
  };
  return { asked, lost, read };
}

describe('a range of which retention has deleted records', () => {
  it('is read from where the log begins, and what is gone is counted', async () => {
    const { asked, lost, read } = reading({ gives: [], fails: outOfRange(10, 15) }, { gives: [15, 19] });
    expect(await read()).toEqual([15, 19]);
    expect([asked, lost]).toEqual([[10, 15], [5]]);
  });

  it('is read on behind a gap that was made meanwhile; nothing is read twice', async () => {
    const { asked, lost, read } = reading(
      { gives: [10, 12], fails: outOfRange(13, 17) },
      { gives: [17], fails: outOfRange(18, 19) },
      { gives: [19] },
    );
    expect(await read()).toEqual([10, 12, 17, 19]);
    expect([asked, lost]).toEqual([
      [10, 17, 19],
      [4, 1],
    ]);
  });

  it('may be gone as a whole', async () => {
    const { lost, read } = reading({ gives: [], fails: outOfRange(10, 50) });
    expect(await read()).toEqual([]);
    expect(lost).toEqual([10]);
  });

  it.each([
    [
      'an offset beyond the end',
      new MillraceError('OFFSET_OUT_OF_RANGE', 'x', { details: { offset: 10, earliest: 0 } }),
    ],
    ['a log that begins where it was read', outOfRange(9, 10)],
    ['another topic', new MillraceError('TOPIC_RECREATED', 'x', { details: { offset: 10, earliest: 15 } })],
  ])('does not hide %s', async (_what, error) => {
    const { lost, read } = reading({ gives: [], fails: error });
    await expect(read()).rejects.toBe(error);
    expect(lost).toEqual([]);
  });
});

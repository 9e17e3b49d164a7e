import { describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@millrace/kafka';
import { pastBatches } from './past-batches.ts';

const range = (topic: string, topicId: string, fromOffset: number) => ({
  topic,
  partition: 0,
  fromOffset,
  untilOffset: fromOffset + 5,
  topicId,
});
const position = (topic: string, topicId: string) => {
  const at = { topic, partition: 0, offset: 10, topicId, leaderEpoch: 0 };
  return [topicPartitionKey(at), at] as const;
};

describe('what windows see of batches before a start', () => {
  it('leaves out topics that are not read any more or were created anew, and says so', () => {
    const batches = [
      { batchTime: 100, previous: undefined, inputs: [{ inputId: 0, ranges: [range('a', 'a1', 0)] }] },
      { batchTime: 200, previous: 100, inputs: [{ inputId: 0, ranges: [range('gone', 'g', 0)] }] },
      {
        batchTime: 300,
        previous: 200,
        inputs: [{ inputId: 0, ranges: [range('a', 'a1', 5), range('b', 'old', 0)] }],
      },
    ];
    const past = pastBatches(
      {
        history: { keepMs: 300, batches },
        positions: new Map([[0, new Map([position('a', 'a1'), position('b', 'new')])]]),
      },
      [{ input: { inputId: 0 }, kafka: { topics: new Set(['a', 'b']) } }],
    );
    expect(
      past.map((batch) => [batch.time, batch.isPartial, batch.ranges(0).map(({ topic }) => topic)]),
    ).toEqual([
      [100, undefined, ['a']],
      [200, true, []],
      [300, true, ['a']],
    ]);
  });
});

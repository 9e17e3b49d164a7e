import { describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@millrace/kafka';
import { EMPTY_LOG, type InputPositions, type LogState } from '../log/log-state.ts';
import { type CurrentInput, inputChanges } from './input-changes.ts';

const at = (topic: string): InputPositions =>
  new Map([
    [
      topicPartitionKey({ topic, partition: 0 }),
      { topic, partition: 0, offset: 7, topicId: undefined, leaderEpoch: -1 },
    ],
  ]);
const log = (...topics: readonly string[]): LogState => ({
  ...EMPTY_LOG,
  positions: new Map(topics.map((topic, inputId) => [inputId, at(topic)])),
});
const inputs = (...topics: readonly string[]): readonly CurrentInput[] =>
  topics.map((topic, inputId) => ({ inputId, description: `topics ${topic}`, topics: new Set([topic]) }));

describe('what a changed program does to its inputs', () => {
  it('is nothing on a first run, and when it reads what it read', () => {
    expect(inputChanges(inputs('a', 'b'), EMPTY_LOG)).toEqual([]);
    expect(inputChanges(inputs('a', 'b'), log('a', 'b'))).toEqual([]);
    expect(
      inputChanges([{ inputId: 0, description: 'topics like /a|b/', topics: new Set(['b', 'a']) }], log('a')),
    ).toEqual([]);
  });

  it('is told: what is new, what is dropped, and streams that were reordered', () => {
    expect(inputChanges(inputs('a', 'b'), log('a'))).toEqual([
      'input 1 is new (topics b): it begins where its options say',
    ]);
    expect(inputChanges(inputs('a'), log('a', 'b'))).toEqual([
      'input 1 is no longer there (b): its offsets are kept, unread',
    ]);
    expect(inputChanges(inputs('b', 'a'), log('a', 'b'))).toEqual([
      expect.stringContaining('input 0 read a and now reads topics b'),
      expect.stringContaining('input 1 read b and now reads topics a'),
    ]);
  });
});

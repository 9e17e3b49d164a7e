import { expect, it } from '@jest/globals';
import { wordsOf } from './words.ts';

it('finds the words of a line', () => {
  expect(wordsOf("It's the stream, the STREAM!")).toEqual(["it's", 'the', 'stream', 'the', 'stream']);
  expect(wordsOf('Größe: 3 größere – naïve 単語')).toEqual(['größe', '3', 'größere', 'naïve', '単語']);
  expect(wordsOf(' … ')).toEqual([]);
});

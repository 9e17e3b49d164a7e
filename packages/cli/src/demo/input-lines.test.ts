import { describe, expect, it } from '@jest/globals';
import { linesOf } from './input-lines.ts';

async function linesIn(...pieces: ReadonlyArray<string | Uint8Array>): Promise<readonly string[]> {
  const input = async function* () {
    for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
  };
  const lines: string[] = [];
  for await (const some of linesOf(input())) lines.push(...some);
  return lines;
}

describe('the lines of an input', () => {
  it.each([
    [[], []],
    [['a\nb\n'], ['a', 'b']],
    [
      ['a', 'b\n', '\nc'],
      ['ab', '', 'c'],
    ],
    [['a\r\nb\r'], ['a', 'b']],
  ])('of %j are %j', async (pieces, lines) => {
    expect(await linesIn(...pieces)).toEqual(lines);
  });

  it('are whole where a piece ends inside of a character', async () => {
    const bytes = Buffer.from('Köln 😀\n');
    for (let cut = 1; cut < bytes.length; cut++)
      expect(await linesIn(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(['Köln 😀']);
  });
});

import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { LINE_CHARS_MAX, readLines } from './output-lines.ts';

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, systemClock, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return lines;
}

describe('readLines', () => {
  it('joins lines over chunks, also in the middle of a character, and gives the last one', async () => {
    const bytes = Buffer.from('größe\r\n\nlast');
    expect(await linesOf(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['größe', '', 'last']);
  });

  it('cuts a line that never ends', async () => {
    const lines = await linesOf('x'.repeat(2 * LINE_CHARS_MAX + 5));
    expect(lines.map((line) => line.length)).toEqual([LINE_CHARS_MAX, LINE_CHARS_MAX, 5]);
  });

  it('slows a flood down without losing any of it', async () => {
    expect((await linesOf(...Array.from({ length: 40 }, () => 'y'.repeat(16_383).concat('\n')))).length).toBe(
      40,
    );
  });
});

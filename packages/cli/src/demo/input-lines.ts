import { MillraceError } from '@millrace/common';

// Beyond any record that a broker takes by default (1 MiB).
const LINE_CHARACTERS_MAX = 16 * 1024 * 1024;

/**
 * The lines of a text as its pieces arrive, those of one piece together; also a last one without a line break.
 * @throws MillraceError RECORD_TOO_LARGE for a line beyond any bound: the input is not text in lines.
 */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of input) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX)
      throw new MillraceError(
        'RECORD_TOO_LARGE',
        `a line of the input is longer than ${LINE_CHARACTERS_MAX} characters`,
      );
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

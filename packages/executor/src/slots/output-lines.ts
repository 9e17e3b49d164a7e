import type { Readable } from 'node:stream';
import type { Clock } from '@millrace/common';

const LINE_CHARS_MAX = 8_192;
const LINES_PER_SECOND_MAX = 500;

/**
 * Gives a stream's text to `onLine` line by line. Bounded: a longer line is cut, and what comes faster than a log can use is
 * counted instead (`onDropped`, at most once a second). The stream is always drained, so that its writer never waits.
 */
export function forwardLines(
  stream: Readable,
  onLine: (line: string) => void,
  onDropped: (lines: number) => void,
  clock: Clock,
): void {
  let partial = '';
  let cutting = false;
  let second = 0;
  let lines = 0;
  let dropped = 0;
  const emit = (line: string): void => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      if (dropped > 0) onDropped(dropped);
      second = now;
      lines = 0;
      dropped = 0;
    }
    if (++lines > LINES_PER_SECOND_MAX) dropped++;
    else if (line !== '') onLine(line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)}…` : line);
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const parts = text.split('\n');
    for (const [index, part] of parts.entries()) {
      if (!cutting) partial += part;
      if (index < parts.length - 1) {
        if (!cutting) emit(partial);
        partial = '';
        cutting = false;
      } else if (partial.length > LINE_CHARS_MAX) {
        emit(partial);
        partial = '';
        cutting = true;
      }
    }
  });
  const flush = (): void => {
    if (partial !== '') emit(partial);
    partial = '';
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
  };
  stream.on('end', flush);
  stream.on('error', flush);
}

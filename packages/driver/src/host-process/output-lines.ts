import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@millrace/common';

/** A line of a host: the job's output, or what the engine in the host logs. */
export interface HostLine {
  readonly text: string;
  readonly source: 'stdout' | 'stderr' | 'logger';
}

export const LINE_CHARS_MAX = 16 * 1024;
// A host that floods its output waits: its writes to the pipe block. 256 KiB in 50 ms are 5 MB/s.
const BURST_CHARS = 256 * 1024;
const PAUSE_MS = 50;

/** Calls `onLine` for every line of a process's output. A longer line comes in pieces; a last line without its end comes, too. */
export function readLines(stream: Readable, clock: Clock, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let partial = '';
  let burst = 0;
  const emit = (text: string): void => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) for (const piece of pieces(line)) onLine(piece);
    while (partial.length > LINE_CHARS_MAX) {
      onLine(partial.slice(0, LINE_CHARS_MAX));
      partial = partial.slice(LINE_CHARS_MAX);
    }
  };
  stream.on('data', (chunk: Buffer) => {
    emit(decoder.write(chunk));
    burst += chunk.length;
    if (burst < BURST_CHARS) return;
    burst = 0;
    stream.pause();
    clock.schedule(PAUSE_MS, () => stream.resume());
  });
  stream.on('error', () => undefined);
  stream.on('end', () => {
    emit(decoder.end());
    if (partial !== '') onLine(partial);
    partial = '';
  });
}

function* pieces(line: string): Generator<string> {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  for (let at = 0; at === 0 || at < text.length; at += LINE_CHARS_MAX)
    yield text.slice(at, at + LINE_CHARS_MAX);
}

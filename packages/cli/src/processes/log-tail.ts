import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 16 * 1024;

/** The last lines of a log file as people read them; empty when there is no such file. */
export function logTail(file: string, lines: number): string[] {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const all = buffer.toString('utf8').split('\n');
    // The first one is torn when the file is longer than the buffer.
    if (size > buffer.length) all.shift();
    return all
      .filter((line) => line.trim() !== '')
      .slice(-lines)
      .map(readableLine);
  } finally {
    closeSync(fd);
  }
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const HIDDEN = new Set(['level', 'time', 'msg', 'name', 'pid', 'hostname', 'err']);

interface LogEntry extends Readonly<Record<string, unknown>> {
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly err?: { readonly message?: unknown };
}

/** A pino line as "level message field=value"; any other line as it is. */
export function readableLine(line: string): string {
  let entry: LogEntry;
  try {
    const parsed: unknown = JSON.parse(line);
    if (parsed === null || typeof parsed !== 'object') return line;
    entry = parsed as LogEntry;
  } catch {
    return line;
  }
  if (typeof entry.level !== 'number' || typeof entry.msg !== 'string') return line;
  const fields = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error = typeof entry.err?.message === 'string' ? [`: ${entry.err.message}`] : [];
  return [`${LEVELS[entry.level] ?? entry.level} ${entry.msg}${error.join('')}`, ...fields].join(' ');
}

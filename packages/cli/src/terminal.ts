import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Where a command writes: data to `out`, progress and errors to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** `text` with ANSI codes when the stream shows colours, else `text` itself. */
  style(stream: 'out' | 'err', style: Style, text: string): string;
}

export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether a stream shows colours: FORCE_COLOR wins over NO_COLOR (as in Node), then a terminal does, unless it is a dumb one
 * or a CI log. See https://no-color.org and https://force-color.org.
 */
export function showsColor(isTTY: boolean, env: Environment): boolean {
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  const no = env['NO_COLOR'];
  if (no !== undefined && no !== '') return false;
  const ci = env['CI'];
  if (ci !== undefined && ci !== '' && ci !== 'false') return false;
  return isTTY && env['TERM'] !== 'dumb';
}

export function createTerminal(out: TerminalStream, err: TerminalStream, env: Environment): Terminal {
  const colors = { out: showsColor(out.isTTY === true, env), err: showsColor(err.isTTY === true, env) };
  return {
    out: (text) => void out.write(text),
    err: (text) => void err.write(text),
    style: (stream, style, text) =>
      colors[stream] ? styleText(style, text, { validateStream: false }) : text,
  };
}

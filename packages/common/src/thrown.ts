import { messageOf, stackOf } from './millrace-error.ts';

// Some libraries quote the whole input.
const MESSAGE_MAX = 4_000;

/** "TypeError: xs is not iterable": anything that was thrown, with its class, as people name it. Long messages are cut. */
export function thrownText(thrown: unknown): string {
  const message = messageOf(thrown);
  const text = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message;
  const name = (thrown as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' && name !== message ? `${name}: ${text}` : text;
}

/** The lines of a stack below its message; '' when there are none. */
export function framesOf(thrown: unknown): string {
  const lines = stackOf(thrown).split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}

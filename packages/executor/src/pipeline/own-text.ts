/** Shorter texts V8 copies when it cuts them out of others; longer ones are views, and keep all of the other alive. */
export const VIEW_LENGTH_MIN = 13;

/**
 * The same text, for those that are kept: a key that was cut out of a record must not keep the record. The estimates of what is in memory
 * count its own length only.
 */
export function ownText(text: string): string {
  // To cut it out of a text of two parts, V8 makes a new one of both: one unit longer, and nobody else's.
  return text.length < VIEW_LENGTH_MIN ? text : ` ${text}`.slice(1);
}

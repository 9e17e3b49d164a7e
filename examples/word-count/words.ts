/** The words of a line, in lower case. Letters and digits of any language, with apostrophes in them. */
export function wordsOf(line: string): readonly string[] {
  return line.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu) ?? [];
}

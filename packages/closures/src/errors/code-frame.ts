import type { Position } from '../manifest.ts';

/** A place in a code frame with its remark. */
export interface FrameMark extends Position {
  readonly length: number;
  readonly text: string;
  /** Marked with `>` and `^^^`; others with `---`. */
  readonly isMain: boolean;
}

/** The marked lines of `source` with one line of context each, numbered, as text. '' when no mark lies in it. */
export function codeFrame(source: string, marks: readonly FrameMark[]): string {
  const lines = source.split(/\r?\n/);
  const shown = new Set<number>();
  for (const { line } of marks) {
    for (let near = line - 1; near <= line + 1; near++)
      if (near >= 1 && near <= lines.length) shown.add(near);
  }
  const numbers = [...shown].toSorted((a, b) => a - b);
  const width = String(numbers.at(-1) ?? 0).length;
  const out: string[] = [];
  let last: number | undefined;
  for (const number of numbers) {
    if (last !== undefined && number > last + 1) out.push(`    ${' '.repeat(width)} ·`);
    last = number;
    const here = marks.filter((mark) => mark.line === number);
    const line = lines[number - 1] ?? '';
    const sign = here.some((mark) => mark.isMain) ? '>' : ' ';
    out.push(`  ${sign} ${String(number).padStart(width)} | ${line}`.trimEnd());
    for (const mark of here) out.push(`    ${' '.repeat(width)} | ${underline(line, mark)}`.trimEnd());
  }
  return out.join('\n');
}

function underline(line: string, mark: FrameMark): string {
  // Tabs stay tabs, so that the marks stand below what they mark.
  const indent = line.slice(0, mark.column).replace(/[^\t]/g, ' ').padEnd(mark.column);
  return `${indent}${(mark.isMain ? '^' : '-').repeat(Math.max(1, mark.length))} ${mark.text}`;
}

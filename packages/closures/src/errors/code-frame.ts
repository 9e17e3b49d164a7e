import type { Position } from '../manifest.ts';

/** A place in a code frame with its remark. */
export interface FrameMark extends Position {
  readonly length: number;
  readonly text: string;
  /** Marked with `>` and `^^^`; others with `---`. */
  readonly isMain: boolean;
}

/** Of a line, in characters: more (a data literal, generated code) is cut, around what is marked. */
const LINE_MAX = 160;
const LEAD = 60;

/** The marked lines of `source` with one line of context each, numbered, as text. '' when no mark lies in it. */
export function codeFrame(source: string, marks: readonly FrameMark[]): string {
  const lines = source.split(/\r?\n/);
  const shown = new Set<number>();
  for (const { line } of marks) {
    if (line > lines.length) continue;
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
    const { text, shift } = cut(lines[number - 1] ?? '', here[0]?.column ?? 0);
    const sign = here.some((mark) => mark.isMain) ? '>' : ' ';
    out.push(`  ${sign} ${String(number).padStart(width)} | ${text}`.trimEnd());
    for (const mark of here) {
      const column = mark.column - shift;
      if (column < 0 || column > text.length) continue;
      out.push(`    ${' '.repeat(width)} | ${underline(text, { ...mark, column })}`.trimEnd());
    }
  }
  return out.join('\n');
}

function cut(line: string, column: number): { text: string; shift: number } {
  if (line.length <= LINE_MAX) return { text: line, shift: 0 };
  const start = Math.max(0, Math.min(column - LEAD, line.length - LINE_MAX));
  const end = start + LINE_MAX;
  const text = `${start === 0 ? '' : '…'}${line.slice(start, end)}${end < line.length ? '…' : ''}`;
  return { text, shift: start === 0 ? 0 : start - 1 };
}

function underline(line: string, mark: FrameMark): string {
  // Tabs stay tabs, so that the marks stand below what they mark.
  const indent = line.slice(0, mark.column).replace(/[^\t]/g, ' ').padEnd(mark.column);
  // What goes on in the next lines is marked up to the end of this one.
  const length = Math.max(1, Math.min(mark.length, line.length - mark.column));
  return `${indent}${(mark.isMain ? '^' : '-').repeat(length)} ${mark.text}`;
}

import { type EncodedSourceMap, TraceMap, traceSegment } from '@jridgewell/trace-mapping';
import type { Position } from '../manifest.ts';

/** So much of the generated text is looked for when types were removed before it. */
const PROBE_LENGTH = 6;

/** Moves offsets of stripped JavaScript back to the lines and columns of the author's file. */
export class SourcePositions {
  readonly #code: string;
  readonly #lineStarts: number[] = [0];
  readonly #map: TraceMap | undefined;
  readonly #sourceLines: readonly string[];

  constructor(code: string, map: EncodedSourceMap | undefined, source: string | undefined) {
    this.#code = code;
    this.#map = map === undefined ? undefined : new TraceMap(map);
    this.#sourceLines = source?.split('\n') ?? [];
    for (let at = code.indexOf('\n'); at !== -1; at = code.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1);
  }

  original(offset: number): Position {
    const generated = this.#generated(offset);
    if (this.#map === undefined) return generated;
    const segment = traceSegment(this.#map, generated.line - 1, generated.column);
    const [mappedColumn, , line, column] = segment ?? [];
    if (mappedColumn === undefined || line === undefined || column === undefined) return generated;
    return {
      line: line + 1,
      column: column + this.#distance(offset, generated.column - mappedColumn, line, column),
    };
  }

  /** A piece of the text as its author wrote it, when that can be told: stripping types changes quotes. */
  textOf({ start, end }: { readonly start: number; readonly end: number }): string {
    const text = this.#code.slice(start, end);
    const { line, column } = this.original(start);
    const written = this.#sourceLines[line - 1]?.slice(column, column + text.length);
    return written !== undefined && sameQuotes(written) === sameQuotes(text) ? written : text;
  }

  /** Where `word` stands last before `at`, in the author's line. */
  wordBefore(word: string, at: Position): Position | undefined {
    const column = this.#sourceLines[at.line - 1]?.lastIndexOf(word, at.column) ?? -1;
    return column === -1 ? undefined : { line: at.line, column };
  }

  /** Maps mark identifiers, not the start of an arrow: walks on from the mark through text that both files share. */
  #distance(offset: number, generated: number, line: number, column: number): number {
    const source = this.#sourceLines[line];
    if (source === undefined || generated === 0) return 0;
    const between = this.#code.slice(offset - generated, offset);
    if (source.startsWith(between, column)) return generated;
    const probe = this.#code.slice(offset, offset + PROBE_LENGTH).split('\n')[0] ?? '';
    for (let length = probe.length; length > 0; length--) {
      const found = source.indexOf(probe.slice(0, length), column + 1);
      if (found !== -1) return found - column;
    }
    return 0;
  }

  #generated(offset: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) };
  }
}

function sameQuotes(text: string): string {
  return text.replace(/["'`]/g, '"');
}

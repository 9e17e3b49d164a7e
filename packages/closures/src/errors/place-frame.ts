import { sourceText } from '../capture/closure-registry.ts';
import { codeFrame } from './code-frame.ts';

const PLACE = /^(.+):(\d+):(\d+)$/;

/** The code frame of a place in the sources of the job (`job.ts:12:8`); '' when it is not there. */
export function placeFrame(place: string): string {
  const [, file = '', line, column] = PLACE.exec(place) ?? [];
  const source = sourceText(file);
  if (source === undefined) return '';
  const at = { line: Number(line), column: Number(column) - 1 };
  const text = source.split(/\r?\n/)[at.line - 1]?.slice(at.column) ?? '';
  const length = /^(?:new\s+)?[\w$]+/.exec(text)?.[0].length ?? 1;
  return codeFrame(source, [{ ...at, length, text: '', isMain: true }]);
}

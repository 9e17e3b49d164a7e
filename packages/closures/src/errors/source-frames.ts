import { sourceText } from '../capture/closure-registry.ts';
import type { CaptureEdge } from './capture-path.ts';
import { codeFrame, type FrameMark } from './code-frame.ts';

/** A mark in a file of the job. */
export interface FileMark extends FrameMark {
  readonly file: string;
}

/** Where a variable is captured, and where it is declared, which may be in another file. */
export function captureMarks({ closure, capture }: CaptureEdge): FileMark[] {
  const { length } = capture.name;
  const marks: FileMark[] = [
    { file: closure.file, ...capture.at, length, text: 'captured here', isMain: true },
  ];
  if (capture.declaredAt !== undefined) {
    const file = capture.declaredIn ?? closure.file;
    marks.push({ file, ...capture.declaredAt, length, text: 'declared here', isMain: false });
  }
  return marks;
}

/** The frames of all files that have a mark and are known, the first mark's file first. */
export function sourceFrames(marks: readonly FileMark[]): string {
  const byFile = Map.groupBy(marks, ({ file }) => file);
  const parts: string[] = [];
  for (const [file, list] of byFile) {
    const source = sourceText(file);
    if (source === undefined) continue;
    parts.push(`${parts.length === 0 ? '' : `  ${file}\n`}${codeFrame(source, list)}`);
  }
  return parts.join('\n\n');
}

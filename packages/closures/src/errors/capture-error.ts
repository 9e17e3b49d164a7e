import { MillraceError, problemsError } from '@millrace/common';
import type { CaptureProblem } from '../capture/graph-node.ts';
import type { ReachedProblem } from '../capture/settle-problems.ts';
import { describeValue } from '../capture/unshippable.ts';
import type { ClosureMeta, Position } from '../manifest.ts';
import {
  type CaptureEdge,
  closuresOf,
  fixName,
  insideText,
  lastCapture,
  placeText,
  subjectOf,
} from './capture-path.ts';
import { captureMarks, type FileMark, sourceFrames } from './source-frames.ts';

/**
 * All that keeps one function from being shipped, each with its place, frame, path and fix. `reached` is not empty.
 * What the same fix mends is one problem: of an object with forty functions of a package, the first one is told.
 */
export function captureErrors(reached: readonly ReachedProblem[], where: string | undefined): MillraceError {
  const byFix = Map.groupBy(reached.map(placed), ({ problem, place, fix }) =>
    JSON.stringify([problem.code, place?.file, place?.line, place?.column, fix]),
  );
  const told = [...byFix.values()].flatMap(([first]) => first ?? []).slice(0, TOLD_MAX);
  const errors = told.map((each) => captureError(each, where));
  return problemsError(errors) ?? new MillraceError('INTERNAL', 'a capture failed without a problem');
}

/** Who has more to mend sees the others at the next check. */
const TOLD_MAX = 20;

interface PlacedProblem extends ReachedProblem {
  readonly edge: CaptureEdge | undefined;
  readonly place: (Position & { readonly file: string }) | undefined;
  readonly fix: string;
}

function placed(reached: ReachedProblem): PlacedProblem {
  const { problem, path } = reached;
  const root = path[0]?.node.meta;
  const edge = lastCapture(path);
  const place =
    problem.at ??
    (edge && { file: edge.closure.file, ...edge.capture.at }) ??
    (root && { file: root.file, ...root.start });
  const fix =
    typeof problem.fix === 'string' ? problem.fix : problem.fix(edge === undefined ? '' : fixName(edge));
  return { ...reached, edge, place, fix };
}

/** What cannot be shipped, why, how it is reached, where it is written, and what to do. */
function captureError(
  { node, problem, path, edge, place, fix }: PlacedProblem,
  where: string | undefined,
): MillraceError {
  const root = path[0]?.node.meta;
  const subject = subjectOf(root, path[0]?.node.source, where);
  const reachedThrough = closuresOf(path);
  const frame = sourceFrames(marksOf(problem, edge, root));
  const text = [
    headline(subject, problem, edge, node.source, node.meta),
    reachedThrough === '' ? '' : `  reached through: ${reachedThrough}`,
    frame,
    fix === '' ? '' : `  fix: ${fix}`,
  ];
  return new MillraceError(problem.code, `${text.filter((part) => part !== '').join('\n\n')}\n`, {
    details: {
      ...(place && { file: place.file, line: place.line, column: place.column + 1 }),
      reason: problem.reason,
      ...(edge && { value: `${edge.capture.name}${edge.inside}` }),
      ...(reachedThrough !== '' && { path: reachedThrough }),
      ...(frame !== '' && { frame }),
      fix,
    },
  });
}

/** One line: for the poison that stands in for a value. */
export function captureSummary({ node, problem, path }: ReachedProblem): string {
  const edge = lastCapture(path);
  const name = edge === undefined ? 'a value' : `\`${edge.capture.name}${edge.inside}\``;
  const place =
    edge === undefined
      ? ''
      : ` (used by ${edge.closure.name || 'a lambda'} at ${placeText(edge.closure.file, edge.capture.at)})`;
  return `${name} is not available on an executor${place}: it is ${describeValue(node.source)}: ${problem.reason}`;
}

function headline(
  subject: string,
  problem: CaptureProblem,
  edge: CaptureEdge | undefined,
  source: unknown,
  own: ClosureMeta | undefined,
): string {
  const cannot = `${subject} cannot be shipped to executors`;
  switch (problem.code) {
    case 'CLOSURE_WRITES_CAPTURE':
      return `${subject} assigns to \`${problem.at?.name}\`, a variable of the driver\n  ${problem.reason}`;
    case 'CLOSURE_USE_BEFORE_INIT':
      return `${subject} captures a variable before it is initialised: ${problem.reason}`;
    case 'CLOSURE_UNTRANSFORMED':
      return `${cannot}: ${problem.reason}`;
    case 'CLOSURE_NOT_SHIPPABLE': {
      const is = own?.kind === 'class' ? `class ${own.name}` : describeValue(source);
      const which = edge === undefined ? '' : `\n  captured \`${edge.capture.name}${edge.inside}\` is ${is}`;
      return `${cannot}: ${problem.reason}${which}`;
    }
    default: {
      const is = `${describeValue(source)}: ${problem.reason}`;
      if (edge === undefined) return `${cannot}: it is ${is}`;
      return `${cannot}\n  captured \`${edge.capture.name}\`${insideText(edge)} is ${is}`;
    }
  }
}

function marksOf(
  problem: CaptureProblem,
  edge: CaptureEdge | undefined,
  root: ClosureMeta | undefined,
): FileMark[] {
  const { at } = problem;
  if (at === undefined) {
    if (edge !== undefined) return captureMarks(edge);
    if (root === undefined) return [];
    return [{ file: root.file, ...root.start, length: 1, text: 'this function', isMain: true }];
  }
  const isWrite = problem.code === 'CLOSURE_WRITES_CAPTURE';
  const text = isWrite ? 'assigned here' : 'here';
  const main: FileMark = { ...at, length: at.length ?? at.name.length, text, isMain: true };
  if (problem.declaredAt !== undefined) {
    const { name } = problem.declaredAt;
    return [main, { ...problem.declaredAt, length: name.length, text: 'declared here', isMain: false }];
  }
  const declared = isWrite || edge === undefined ? [] : captureMarks(edge).slice(1);
  return [main, ...declared];
}

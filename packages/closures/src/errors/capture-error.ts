import { MillraceError } from '@millrace/common';
import { sourceText } from '../capture/closure-registry.ts';
import type { CaptureProblem, Step } from '../capture/graph-node.ts';
import type { ReachedProblem } from '../capture/settle-problems.ts';
import { describeValue } from '../capture/unshippable.ts';
import type { CaptureMeta, ClosureMeta } from '../manifest.ts';
import { codeFrame, type FrameMark } from './code-frame.ts';

interface CaptureEdge {
  readonly closure: ClosureMeta;
  readonly capture: CaptureMeta;
  /** `.conn[0]`: from the variable to the value. */
  readonly inside: string;
}

/** What cannot be shipped, why, how it is reached, where it is written, and what to do. */
export function captureError({ node, path }: ReachedProblem, where: string | undefined): MillraceError {
  const problem = node.problem as CaptureProblem;
  const root = path[0]?.node.meta;
  const edge = lastCapture(path);
  const subject = `${titleOf(root, path[0]?.node.source)}${where === undefined ? '' : `, given to ${where},`}`;
  const fix = typeof problem.fix === 'string' ? problem.fix : problem.fix(edge?.capture.name ?? '');
  const text = [
    headline(subject, problem, edge, node.source, node.meta),
    reachedThrough(path),
    frames(problem, edge, root),
    fix === '' ? '' : `  fix: ${fix}`,
  ];
  const place =
    problem.at ??
    (edge && { file: edge.closure.file, ...edge.capture.at }) ??
    (root && { file: root.file, ...root.start });
  return new MillraceError(problem.code, `${text.filter((part) => part !== '').join('\n\n')}\n`, {
    details: place === undefined ? {} : { file: place.file, line: place.line, column: place.column + 1 },
  });
}

/** One line: for the poison that stands in for a value. */
export function captureSummary({ node, path }: ReachedProblem): string {
  const problem = node.problem as CaptureProblem;
  const edge = lastCapture(path);
  const name = edge === undefined ? 'a value' : `\`${edge.capture.name}${edge.inside}\``;
  const place =
    edge === undefined
      ? ''
      : ` (used by ${edge.closure.name || 'a lambda'} at ${placeText(edge.closure.file, edge.capture.at)})`;
  return `${name} is not available on an executor${place}: it is ${describeValue(node.source)}: ${problem.reason}`;
}

function placeText(file: string, at: { line: number; column: number }): string {
  return `${file}:${at.line}:${at.column + 1}`;
}

function titleOf(meta: ClosureMeta | undefined, source: unknown): string {
  if (meta === undefined)
    return typeof source === 'function' && source.name !== ''
      ? `function \`${source.name}\``
      : 'the function';
  const kind = meta.kind === 'class' ? 'class' : 'lambda';
  return `${kind} ${meta.name === '' ? '' : `\`${meta.name}\` `}at ${placeText(meta.file, meta.start)}`;
}

function lastCapture(path: ReachedProblem['path']): CaptureEdge | undefined {
  let inside = '';
  for (const { step } of path.toReversed()) {
    if (step.kind === 'capture') return { closure: step.closure, capture: step.capture, inside };
    inside = stepText(step) + inside;
  }
  return undefined;
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'property':
      return /^[A-Za-z_$][\w$]*$/.test(step.key) ? `.${step.key}` : `[${JSON.stringify(step.key)}]`;
    case 'element':
      return `[${step.index}]`;
    case 'entry':
      return `.get(${typeof step.key === 'string' ? JSON.stringify(step.key) : describeValue(step.key)})`;
    case 'link':
      return step.text;
    default:
      return '';
  }
}

function headline(
  subject: string,
  problem: CaptureProblem,
  edge: CaptureEdge | undefined,
  source: unknown,
  own: ClosureMeta | undefined,
): string {
  switch (problem.code) {
    case 'CLOSURE_WRITES_CAPTURE':
      return `${subject} assigns to \`${problem.at?.name}\`, a variable of the driver\n  ${problem.reason}`;
    case 'CLOSURE_USE_BEFORE_INIT':
      return `${subject} captures a variable before it is initialised: ${problem.reason}`;
    case 'CLOSURE_UNTRANSFORMED':
      return `${subject} cannot be shipped to executors: ${problem.reason}`;
    case 'CLOSURE_NOT_SHIPPABLE': {
      const which =
        edge === undefined
          ? ''
          : `\n  captured \`${edge.capture.name}${edge.inside}\` is ${own?.kind === 'class' ? `class ${own.name}` : describeValue(source)}`;
      return `${subject} cannot be shipped to executors: ${problem.reason}${which}`;
    }
    default: {
      if (edge === undefined)
        return `${subject} cannot be shipped to executors: it is ${describeValue(source)}: ${problem.reason}`;
      const { name } = edge.capture;
      const to = edge.inside === '' ? '' : ` → \`${name}${edge.inside}\``;
      return `${subject} cannot be shipped to executors\n  captured \`${name}\`${to} is ${describeValue(source)}: ${problem.reason}`;
    }
  }
}

/** "lambda (job.ts:5) → helper (job.ts:4)": only when there is more than one closure on the way. */
function reachedThrough(path: ReachedProblem['path']): string {
  const closures = path.flatMap(({ node }) => (node.meta === undefined ? [] : [node.meta]));
  if (closures.length < 2) return '';
  const names = closures.map((meta) => `${meta.name || 'lambda'} (${meta.file}:${meta.start.line})`);
  return `  reached through: ${names.join(' → ')}`;
}

function frames(
  problem: CaptureProblem,
  edge: CaptureEdge | undefined,
  root: ClosureMeta | undefined,
): string {
  const marks = new Map<string, FrameMark[]>();
  const add = (file: string, mark: FrameMark): void => {
    marks.set(file, [...(marks.get(file) ?? []), mark]);
  };
  if (problem.at !== undefined) {
    const { file, name } = problem.at;
    const text = problem.code === 'CLOSURE_WRITES_CAPTURE' ? 'assigned here' : 'here';
    add(file, { ...problem.at, length: name.length, text, isMain: true });
  } else if (edge !== undefined) {
    const { closure, capture } = edge;
    add(closure.file, { ...capture.at, length: capture.name.length, text: 'captured here', isMain: true });
  } else if (root !== undefined) {
    add(root.file, { ...root.start, length: 1, text: 'this function', isMain: true });
  }
  const declared = edge?.capture.declaredAt;
  if (edge !== undefined && declared !== undefined && problem.code !== 'CLOSURE_WRITES_CAPTURE') {
    const length = edge.capture.name.length;
    add(edge.capture.declaredIn ?? edge.closure.file, {
      ...declared,
      length,
      text: 'declared here',
      isMain: false,
    });
  }
  const parts: string[] = [];
  for (const [file, list] of marks) {
    const source = sourceText(file);
    if (source === undefined) continue;
    parts.push(`${parts.length === 0 ? '' : `  ${file}\n`}${codeFrame(source, list)}`);
  }
  return parts.join('\n\n');
}

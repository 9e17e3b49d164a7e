import type { Step } from '../capture/graph-node.ts';
import type { CapturePath } from '../capture/settle-problems.ts';
import { describeValue } from '../capture/unshippable.ts';
import type { CaptureMeta, ClosureMeta, Position } from '../manifest.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';

/** The last captured variable on the way to a value, and how the value hangs on it. */
export interface CaptureEdge {
  readonly closure: ClosureMeta;
  readonly capture: CaptureMeta;
  /** `.conn[0]`: from the variable to the value. */
  readonly inside: string;
  /** The variable is `lib` of `import * as lib`, or a class whose static is meant. */
  readonly isNamespace?: boolean;
}

export function lastCapture(path: CapturePath): CaptureEdge | undefined {
  let inside = '';
  for (const { node, step } of path.toReversed()) {
    if (step.kind === 'capture') {
      const isNamespace =
        (node.tag === NodeTag.Class && inside.startsWith('.')) ||
        Object.prototype.toString.call(node.source) === '[object Module]';
      return { closure: step.closure, capture: step.capture, inside, isNamespace };
    }
    inside = stepText(step) + inside;
  }
  return undefined;
}

const IDENTIFIER = /[\p{ID_Start}_$][\p{ID_Continue}$]*/gu;

export function isIdentifier(text: string): boolean {
  return text.match(IDENTIFIER)?.[0] === text;
}

/** `.name`, `[3]`, `.get("key")`. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'property':
      return isIdentifier(step.key) ? `.${step.key}` : `[${JSON.stringify(step.key)}]`;
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

/** `audit` → `audit.socket`; '' when the variable itself is meant. */
export function insideText({ capture, inside }: CaptureEdge): string {
  return inside === '' ? '' : ` → \`${capture.name}${inside}\``;
}

/** What a fix calls the value: the variable, or of `this.db` and `config.limit` the first property, as of a namespace; '' for none. */
export function fixName({ capture, inside, isNamespace = false }: CaptureEdge): string {
  const names = `${capture.name}${inside}`.match(IDENTIFIER) ?? [];
  const isPath = capture.name === 'this' || capture.name.includes('.') || isNamespace;
  return names[isPath ? 1 : 0] ?? '';
}

/** "lambda (job.ts:5) → helper (job.ts:4)"; '' unless there is more than one closure on the way. */
export function closuresOf(path: CapturePath): string {
  const names = path.flatMap(({ node: { meta } }, index) => {
    if (meta === undefined) return [];
    const isFactory = path[index - 1]?.node.tag === NodeTag.PerExecutor;
    const name = meta.name || (isFactory ? 'factory of perExecutor' : 'lambda');
    return [`${name} (${meta.file}:${meta.start.line})`];
  });
  return names.length < 2 ? '' : names.join(' → ');
}

/** "lambda `keep` at job.ts:5:3, given to filter,". */
export function subjectOf(meta: ClosureMeta | undefined, source: unknown, where: string | undefined): string {
  return `${titleOf(meta, source)}${where === undefined ? '' : `, given to ${where},`}`;
}

function titleOf(meta: ClosureMeta | undefined, source: unknown): string {
  if (meta === undefined)
    return typeof source === 'function' && source.name !== ''
      ? `function \`${source.name}\``
      : 'the function';
  const kind = meta.kind === 'class' ? 'class' : 'lambda';
  return `${kind} ${meta.name === '' ? '' : `\`${meta.name}\` `}at ${placeText(meta.file, meta.start)}`;
}

export function placeText(file: string, at: Position): string {
  return `${file}:${at.line}:${at.column + 1}`;
}

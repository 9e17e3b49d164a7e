import { GraphNode } from '../capture/graph-node.ts';
import { shortestPath } from '../capture/settle-problems.ts';
import type { WrittenSnapshot } from '../capture/snapshot-writer.ts';
import type { CaptureMeta } from '../manifest.ts';
import {
  type CaptureEdge,
  closuresOf,
  fixName,
  insideText,
  isIdentifier,
  lastCapture,
  stepText,
  subjectOf,
} from './capture-path.ts';
import type { JobWarning, WarningCode } from './job-warning.ts';
import { environmentName, looksSecret } from './secret.ts';
import { captureMarks, sourceFrames } from './source-frames.ts';

/** A capture is sent to every executor that runs the lambda; above this a broadcast is the better way. */
export const LARGE_CAPTURE_BYTES = 1024 * 1024;
/** Of one lambda; and values that are looked at. */
const WARNINGS_MAX = 20;
const NODES_MAX = 100_000;

/** What a captured function may not have meant. Slower than the capture itself: for checks, once a lambda. */
export function captureWarnings(written: WrittenSnapshot, where: string | undefined): readonly JobWarning[] {
  const [root] = written.nodes;
  if (root === undefined) return [];
  const found = [...largeCapture(written, root, where)];
  const told = new Set<string>();
  for (const node of written.nodes.slice(0, NODES_MAX)) {
    if (found.length >= WARNINGS_MAX) break;
    for (const each of [...fixedReads(root, node, where), ...secrets(root, node, where)]) {
      const key = `${each.code} ${each.place?.file}:${each.place?.line}:${each.place?.column}`;
      if (!told.has(key)) found.push(each);
      told.add(key);
    }
  }
  return masked(found, written);
}

/** Secrets may stand in the source, and a warning goes to logs. */
function masked(warnings: readonly JobWarning[], { nodes }: WrittenSnapshot): readonly JobWarning[] {
  if (!warnings.some(({ code }) => code === 'CAPTURE_SECRET')) return warnings;
  const texts = nodes
    .slice(0, NODES_MAX)
    .flatMap((node) => [...secretsOf(node)].flatMap(({ value }) => value.split('\n')))
    .filter((line) => line.trim().length > 1)
    .toSorted((a, b) => b.length - a.length);
  return warnings.map((each) => {
    let { frame } = each;
    // Of the same length, for what is marked below.
    for (const secret of texts) frame = frame.replaceAll(secret, '•'.repeat(secret.length));
    return { ...each, frame };
  });
}

interface Finding {
  readonly code: WarningCode;
  readonly root: GraphNode;
  readonly where: string | undefined;
  /** The closure that captures, or what is captured. */
  readonly node: GraphNode;
  readonly edge: CaptureEdge | undefined;
  readonly says: string;
  readonly fix: string;
}

function warning({ code, root, where, node, edge, says, fix }: Finding): JobWarning {
  const path = closuresOf(shortestPath(root, node));
  const at = edge?.capture.at ?? root.meta?.start;
  const file = edge?.closure.file ?? root.meta?.file;
  return {
    code,
    what: `${subjectOf(root.meta, root.source, where)} ${says}`,
    ...(at && file !== undefined && { place: { file, line: at.line, column: at.column + 1 } }),
    ...(path !== '' && { path }),
    frame: edge === undefined ? '' : sourceFrames(captureMarks(edge)),
    fix,
  };
}

/** Names the largest variable. */
function* largeCapture(
  { bytes, sizes }: WrittenSnapshot,
  root: GraphNode,
  where: string | undefined,
): Generator<JobWarning> {
  if (bytes.byteLength <= LARGE_CAPTURE_BYTES) return;
  let edge: CaptureEdge | undefined;
  let largest = 0;
  for (const [index, value] of root.values.entries()) {
    const step = root.steps?.(index);
    if (step?.kind !== 'capture') continue;
    const size = value instanceof GraphNode ? reachableSize(value, sizes) : lengthOf(value);
    if (size > largest) {
      largest = size;
      edge = { closure: step.closure, capture: step.capture, inside: '' };
    }
  }
  const megabytes = (bytes.byteLength / LARGE_CAPTURE_BYTES).toFixed(1);
  const name = edge?.capture.name;
  const says = `captures ${megabytes} MB, most of it in ${name === undefined ? 'its captures' : `\`${name}\``}`;
  const fix =
    name === undefined
      ? 'use a broadcast'
      : `broadcast it:  const shared = ssc.broadcast(${name})   and shared.value inside the lambda`;
  yield warning({ code: 'CAPTURE_LARGE', root, where, node: root, edge, says, fix });
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 8;
}

function reachableSize(from: GraphNode, sizes: readonly number[]): number {
  const seen = new Set<GraphNode>([from]);
  let total = 0;
  for (const node of seen) {
    total += sizes[node.index] ?? 0;
    for (const value of node.values) if (value instanceof GraphNode) seen.add(value);
  }
  return total;
}

const READ_FROM = { clock: 'the clock', random: 'a source of randomness' } as const;

function* fixedReads(root: GraphNode, node: GraphNode, where: string | undefined): Generator<JobWarning> {
  const closure = node.meta;
  for (const capture of closure?.captures ?? []) {
    if (closure === undefined || capture.reads === undefined) continue;
    const { source, text } = capture.reads;
    const edge = { closure, capture, inside: '' };
    const says = `captures \`${capture.name}\`, which was read from ${READ_FROM[source]} (\`${text}\`) once, on the driver: every record gets the same value`;
    yield warning({ code: 'CAPTURE_FIXED', root, where, node, edge, says, fix: fixedFix(capture) });
  }
}

function fixedFix({ name, reads }: CaptureMeta): string {
  const fix = `call ${reads?.text} inside the lambda instead of capturing \`${name}\``;
  return reads?.source === 'clock' ? `${fix}; foreachRDD and transform are given the time of the batch` : fix;
}

function* secrets(root: GraphNode, node: GraphNode, where: string | undefined): Generator<JobWarning> {
  for (const { name, step } of secretsOf(node)) {
    const edge = edgeOf(root, node, step);
    if (edge === undefined) continue;
    const what = `\`${edge.capture.name}\`${insideText(edge)}`;
    const says = `captures ${what}, which looks like a secret: it goes over the wire, and is kept with the program`;
    // Of an object's property: the object may stay.
    const getter = edge.inside !== '' && isIdentifier(name) ? name : fixName(edge);
    const variable = environmentName(name === '' ? getter : name);
    const fix = `read it on the executor:  const ${getter} = perExecutor(() => process.env.${variable})   and call ${getter}() inside the lambda`;
    yield warning({ code: 'CAPTURE_SECRET', root, where, node, edge, says, fix });
  }
}

/** The texts of one value that look like secrets. */
function* secretsOf(node: GraphNode): Generator<{ name: string; value: string; step: Step }> {
  for (const [index, value] of node.values.entries()) {
    if (typeof value !== 'string') continue;
    const step = node.steps?.(index);
    const name = step === undefined ? undefined : nameOf(step);
    if (step !== undefined && name !== undefined && looksSecret(name, value)) yield { name, value, step };
  }
}

type Step = NonNullable<ReturnType<NonNullable<GraphNode['steps']>>>;

/** What a text is called there; undefined: it is no value of the user. */
function nameOf(step: Step): string | undefined {
  switch (step.kind) {
    case 'capture':
      return step.capture.name;
    case 'property':
      return step.key;
    case 'entry':
      return typeof step.key === 'string' ? step.key : '';
    case 'element':
      return '';
    default:
      return undefined;
  }
}

function edgeOf(root: GraphNode, node: GraphNode, step: Step): CaptureEdge | undefined {
  if (step.kind === 'capture') return { closure: step.closure, capture: step.capture, inside: '' };
  const edge = lastCapture(shortestPath(root, node));
  return edge && { ...edge, inside: edge.inside + stepText(step) };
}

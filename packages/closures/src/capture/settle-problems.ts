import { NodeTag } from '../snapshot/snapshot-format.ts';
import { type CaptureProblem, GraphNode, NameValue, type Step } from './graph-node.ts';

/** A value that cannot be shipped, and how the root reaches it. */
export interface ReachedProblem {
  readonly node: GraphNode;
  readonly problem: CaptureProblem;
  readonly path: CapturePath;
}

/** From the root to a node. */
export type CapturePath = readonly { readonly node: GraphNode; readonly step: Step }[];

/** Where a class's node has the list of its statics. */
const STATICS = 1;

/** Of one lambda. Many may have one fix: an object with all functions of a package. */
const PROBLEMS_MAX = 1000;

/**
 * Finds the unshippable values that the root needs, the nearest first. When it needs none, what only methods of captured
 * classes use is replaced by a poison, which says the problem when it is touched: a job class that mentions the context
 * can still be captured.
 */
export function settleProblems(
  root: GraphNode,
  explain: (problem: ReachedProblem) => string,
): readonly ReachedProblem[] {
  const needed = findProblems(root, PROBLEMS_MAX);
  if (needed.length > 0) return needed;
  const seen = new Set<GraphNode>([root]);
  for (const node of seen) {
    for (const [index, value] of node.values.entries()) {
      if (!(value instanceof GraphNode)) continue;
      const [problem] = node.soft?.(index) === true ? findProblems(value, 1, { node, index }) : [];
      if (problem === undefined) seen.add(value);
      else node.values[index] = poison(explain(problem));
    }
  }
  return [];
}

/** Whether something that `node` needs for certain cannot ship. */
export function needsProblem(node: GraphNode): boolean {
  return findProblems(node, 1).length > 0;
}

function poison(message: string): GraphNode {
  const node = new GraphNode(NodeTag.Poison, undefined);
  node.values = [message];
  return node;
}

interface Edge {
  readonly node: GraphNode;
  readonly index: number;
}

/** Breadth first over what is needed for certain: the shortest path makes the clearest message. */
function findProblems(from: GraphNode, max: number, owner?: Edge): ReachedProblem[] {
  const found: ReachedProblem[] = [];
  const cameFrom = new Map<GraphNode, Edge | undefined>([[from, owner]]);
  for (const node of cameFrom.keys()) {
    for (const problem of node.problems ?? []) {
      found.push({ node, problem, path: pathTo(node, from, cameFrom) });
      if (found.length === max) return found;
    }
    for (const [index, value] of node.values.entries()) {
      if (!(value instanceof GraphNode) || cameFrom.has(value) || node.soft?.(index) === true) continue;
      cameFrom.set(value, { node, index });
    }
    for (const wanted of node.wants ?? []) addWanted(cameFrom, wanted.owner, wanted.members);
  }
  return found;
}

/** The statics that a lambda reads of the class `owner`, though the class itself may have them poisoned. */
function addWanted(
  cameFrom: Map<GraphNode, Edge | undefined>,
  owner: GraphNode,
  members: readonly string[],
): void {
  const statics = owner.tag === NodeTag.Class ? owner.values[STATICS] : undefined;
  if (!(statics instanceof GraphNode)) return;
  for (const [index, value] of statics.values.entries()) {
    const key = statics.values[index - 1];
    if (index % 2 === 0 || !(key instanceof NameValue) || !members.includes(key.name)) continue;
    if (!(value instanceof GraphNode) || cameFrom.has(value)) continue;
    if (value.meta?.refusal !== undefined && owner.meta?.keeps?.includes(key.name) === true) continue;
    if (!cameFrom.has(statics)) cameFrom.set(statics, { node: owner, index: STATICS });
    cameFrom.set(value, { node: statics, index });
  }
}

/** The shortest path to a node that `root` needs. */
export function shortestPath(root: GraphNode, target: GraphNode): CapturePath {
  const cameFrom = new Map<GraphNode, Edge | undefined>([[root, undefined]]);
  for (const node of cameFrom.keys()) {
    if (node === target) break;
    for (const [index, value] of node.values.entries())
      if (value instanceof GraphNode && !cameFrom.has(value)) cameFrom.set(value, { node, index });
  }
  return pathTo(target, root, cameFrom);
}

function pathTo(
  node: GraphNode,
  from: GraphNode,
  cameFrom: ReadonlyMap<GraphNode, Edge | undefined>,
): CapturePath {
  const path: { node: GraphNode; step: Step }[] = [];
  for (let at: GraphNode | undefined = node; at !== undefined; ) {
    const source = cameFrom.get(at);
    path.unshift({ node: at, step: source?.node.steps?.(source.index) ?? { kind: 'root' } });
    if (at === from) {
      if (source !== undefined) path.unshift({ node: source.node, step: { kind: 'root' } });
      break;
    }
    at = source?.node;
  }
  return path;
}

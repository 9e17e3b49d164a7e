import { NodeTag } from '../snapshot/snapshot-format.ts';
import { GraphNode, type Step } from './graph-node.ts';

/** A value that cannot be shipped, and how the root reaches it. */
export interface ReachedProblem {
  readonly node: GraphNode;
  /** From the root to `node`. */
  readonly path: readonly { readonly node: GraphNode; readonly step: Step }[];
}

/**
 * Finds the nearest unshippable value that the root needs. When it needs none, what only methods of captured classes
 * use is replaced by a poison, which says the problem when it is touched: a job class that mentions the context can
 * still be captured.
 */
export function settleProblems(
  root: GraphNode,
  explain: (problem: ReachedProblem) => string,
): ReachedProblem | undefined {
  const needed = findProblem(root);
  if (needed !== undefined) return needed;
  const seen = new Set<GraphNode>([root]);
  for (const node of seen) {
    for (const [index, value] of node.values.entries()) {
      if (!(value instanceof GraphNode)) continue;
      const problem = node.soft?.(index) === true ? findProblem(value, node, index) : undefined;
      if (problem === undefined) seen.add(value);
      else node.values[index] = poison(explain(problem));
    }
  }
  return undefined;
}

function poison(message: string): GraphNode {
  const node = new GraphNode(NodeTag.Poison, undefined);
  node.values = [message];
  return node;
}

/** Breadth first over what is needed for certain: the shortest path makes the clearest message. */
function findProblem(from: GraphNode, owner?: GraphNode, ownerIndex = 0): ReachedProblem | undefined {
  const cameFrom = new Map<GraphNode, { node: GraphNode; index: number } | undefined>();
  cameFrom.set(from, owner && { node: owner, index: ownerIndex });
  for (const node of cameFrom.keys()) {
    if (node.problem !== undefined) return { node, path: pathTo(node, from, cameFrom) };
    for (const [index, value] of node.values.entries()) {
      if (!(value instanceof GraphNode) || cameFrom.has(value) || node.soft?.(index) === true) continue;
      cameFrom.set(value, { node, index });
    }
  }
  return undefined;
}

function pathTo(
  node: GraphNode,
  from: GraphNode,
  cameFrom: ReadonlyMap<GraphNode, { node: GraphNode; index: number } | undefined>,
): ReachedProblem['path'] {
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

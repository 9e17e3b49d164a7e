import { GraphNode } from './graph-node.ts';
import type { WrittenSnapshot } from './snapshot-writer.ts';

/** A capture is sent to every executor that runs the lambda; above this a broadcast is the better way. */
const LARGE_CAPTURE_BYTES = 1024 * 1024;

/** Names the largest captured variable when the snapshot is large. */
export function largeCaptureWarning({ bytes, nodes, sizes }: WrittenSnapshot, label: string): string[] {
  const [root] = nodes;
  if (bytes.byteLength <= LARGE_CAPTURE_BYTES || root === undefined) return [];
  let name = '';
  let largest = 0;
  for (const [index, value] of root.values.entries()) {
    const step = root.steps?.(index);
    if (!(value instanceof GraphNode) || step?.kind !== 'capture') continue;
    const size = reachableSize(value, sizes);
    if (size > largest) {
      largest = size;
      name = step.capture.name;
    }
  }
  const megabytes = (bytes.byteLength / LARGE_CAPTURE_BYTES).toFixed(1);
  const subject = name === '' ? 'its captures' : `\`${name}\``;
  const fix =
    name === ''
      ? 'use a broadcast'
      : `const shared = ssc.broadcast(${name})  and  shared.value  inside the lambda`;
  return [`the lambda at ${label} captures ${megabytes} MB, most of it in ${subject}: ${fix}`];
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

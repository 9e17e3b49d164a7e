import { partitionerOf } from './partitioner-call.ts';
import { type CutNode, type PersistedNode, partitionCount } from './rdd-node.ts';

/**
 * All rows of a checkpoint are durable: lets go of what they were made of. The one change that lineage knows, and none of rows: whatever
 * was derived from the checkpoint, before or after, goes on from its file. Idempotent.
 */
export function cutLineage(node: PersistedNode, file: string): void {
  if (node.parent.kind === 'cut') return;
  const cut: CutNode = {
    kind: 'cut',
    partitions: partitionCount(node),
    partitioner: partitionerOf(node),
    file,
  };
  (node as { parent: PersistedNode['parent'] }).parent = cut;
}

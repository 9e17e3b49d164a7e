import { isCheckpoint, type RddNode } from '@millrace/api/internal';
import type { OffsetRange } from '@millrace/kafka';

/** The ranges of all Kafka sources below a dataset, down to checkpoints, in the order of its sources; each source once, however often it is used. */
export function rangesBelow(node: RddNode): readonly OffsetRange[] {
  const ranges: OffsetRange[] = [];
  const seen = new Set<RddNode>();
  // The next one at the end: a lineage may be deep.
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.kind === 'kafka') ranges.push(...next.ranges);
    else if ('parents' in next) open.push(...next.parents.toReversed());
    else if ('parent' in next && !isCheckpoint(next)) open.push(next.parent);
  }
  return ranges;
}

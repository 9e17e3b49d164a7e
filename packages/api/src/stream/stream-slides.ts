import type { BatchTime, StreamNode } from './stream-node.ts';

/** When a batch is: it covers (previous, time]. */
export interface BatchSpan {
  readonly time: BatchTime;
  /** Of the batch before; undefined: there was none. */
  readonly previous: BatchTime | undefined;
}

export function parentsOf(node: StreamNode): readonly StreamNode[] {
  switch (node.kind) {
    case 'refused':
    case 'direct-kafka':
    case 'queue':
      return [];
    case 'union':
    case 'transform':
      return node.parents;
    case 'operator':
    case 'window':
    case 'inverse-window':
    case 'persisted':
    case 'stateful':
    case 'state-snapshots':
      return [node.parent];
  }
}

/** How often a stream has an RDD, in ms: every batch, or as its windows slide. Its parents' slides are equal. */
export function slideOf(stream: StreamNode, batchIntervalMs: number): number {
  let node: StreamNode | undefined = stream;
  while (node && node.kind !== 'window' && node.kind !== 'inverse-window') node = parentsOf(node)[0];
  return node?.slideMs ?? batchIntervalMs;
}

/**
 * The RDD of a batch belongs to this time; undefined: the stream has none in that batch. A stream that slides with the batches has one in each.
 * Others have one in a batch that covers a multiple of their slide: it belongs to the last of these, however many there are (a batch that covers
 * several intervals), so that windows neither miss nor repeat a batch when batches are late.
 */
export function slideTime(
  slideMs: number,
  batchIntervalMs: number,
  { time, previous = time - batchIntervalMs }: BatchSpan,
): BatchTime | undefined {
  const end = slideEnd(slideMs, batchIntervalMs, time);
  return end > previous ? end : undefined;
}

/** What the RDD of the batch of `time` belongs to, when there is one. */
export function slideEnd(slideMs: number, batchIntervalMs: number, time: BatchTime): BatchTime {
  return slideMs === batchIntervalMs ? time : Math.floor(time / slideMs) * slideMs;
}

/** Multiples of the slide that a batch covers besides the one that it stands for: windows that are never computed. */
export function missedSlides(slideMs: number, { time, previous }: BatchSpan): number {
  if (previous === undefined) return 0;
  return Math.max(0, Math.floor(time / slideMs) - Math.floor(previous / slideMs) - 1);
}

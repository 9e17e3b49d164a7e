import { Buffer } from 'node:buffer';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { GraphNode } from './graph-node.ts';

interface MemoryView {
  readonly node: GraphNode;
  readonly view: ArrayBufferView;
  /** The constructor's name. */
  readonly base: string;
}

/** A multiple of the size of every element type. */
const ALIGNMENT = 8;

/**
 * Typed arrays, DataViews and Buffers of a graph. Two that overlap keep one memory (a Float64Array and a Uint8Array of
 * its bits); a view alone takes only the part that it shows, so that a slice of Node's pool does not drag the pool along.
 */
export class MemoryViews {
  readonly #views = new Map<ArrayBufferLike, MemoryView[]>();

  add(node: GraphNode, view: ArrayBufferView, base: string): void {
    const known = this.#views.get(view.buffer);
    if (known === undefined) this.#views.set(view.buffer, [{ node, view, base }]);
    else known.push({ node, view, base });
  }

  /** Fills the nodes. `bufferNode` gives the node of an ArrayBuffer that is captured itself. */
  settle(bufferNode: (buffer: ArrayBufferLike) => GraphNode | undefined): void {
    for (const [buffer, views] of this.#views) {
      const whole = bufferNode(buffer);
      if (whole !== undefined) for (const view of views) fillShared(view, whole, 0);
      else for (const group of overlapping(views)) fillGroup(group);
    }
  }
}

function overlapping(views: readonly MemoryView[]): MemoryView[][] {
  if (views.length === 1) return [[...views]];
  const groups: MemoryView[][] = [];
  let end = -1;
  for (const each of views.toSorted((a, b) => a.view.byteOffset - b.view.byteOffset)) {
    if (each.view.byteOffset >= end) groups.push([each]);
    else groups.at(-1)?.push(each);
    end = Math.max(end, each.view.byteOffset + each.view.byteLength);
  }
  return groups;
}

function fillGroup(group: readonly MemoryView[]): void {
  const [first] = group;
  if (first === undefined) return;
  if (group.length === 1) {
    const { buffer, byteOffset, byteLength } = first.view;
    fill(first, [new Uint8Array(buffer, byteOffset, byteLength)]);
    return;
  }
  const from = first.view.byteOffset;
  const to = Math.max(...group.map(({ view }) => view.byteOffset + view.byteLength));
  const padding = from % ALIGNMENT;
  const bytes = new Uint8Array(padding + to - from);
  bytes.set(new Uint8Array(first.view.buffer, from, to - from), padding);
  const shared = new GraphNode(NodeTag.ArrayBuffer, undefined);
  shared.values = [bytes];
  for (const each of group) fillShared(each, shared, from - padding);
}

function fillShared(each: MemoryView, buffer: GraphNode, origin: number): void {
  const { view } = each;
  const length = 'length' in view ? (view as Uint8Array).length : view.byteLength;
  fill(each, [buffer, view.byteOffset - origin, length]);
}

function fill({ node, view, base }: MemoryView, content: readonly unknown[]): void {
  const isBuffer = Buffer.isBuffer(view);
  node.tag = isBuffer ? NodeTag.Buffer : NodeTag.TypedArray;
  node.values = isBuffer ? [...content] : [base, ...content];
}

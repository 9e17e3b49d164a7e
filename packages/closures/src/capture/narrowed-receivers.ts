import type { GraphNode } from './graph-node.ts';

/**
 * Arrows that read only some properties of their `this` capture a copy of those. When the object itself is captured, too,
 * somewhere in the same graph, the copy would not see what others do to the object: then they get the object.
 */
export class NarrowedReceivers {
  readonly #receivers: { readonly receiver: unknown; readonly copy: GraphNode; readonly owner: GraphNode }[] =
    [];

  /** `copy`, a value of `owner`, stands for `receiver`. */
  add(receiver: unknown, copy: GraphNode, owner: GraphNode): void {
    this.#receivers.push({ receiver, copy, owner });
  }

  /**
   * When the whole graph is known. `nodeOf` gives the node of a value that is captured itself, unless it cannot ship:
   * then it is only a method of a captured class that uses it.
   */
  settle(nodeOf: (value: unknown) => GraphNode | undefined): void {
    for (const { receiver, copy, owner } of this.#receivers) {
      const node = nodeOf(receiver);
      const index = owner.values.indexOf(copy);
      if (node !== undefined && index !== -1) owner.values[index] = node;
    }
  }
}

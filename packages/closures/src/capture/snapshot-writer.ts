import { ByteWriter } from '../snapshot/byte-writer.ts';
import {
  Integrity,
  NodeTag,
  RESTRICTED,
  SNAPSHOT_VERSION,
  TIED,
  ValueTag,
} from '../snapshot/snapshot-format.ts';
import { GraphNode, HOLE_VALUE, NameValue } from './graph-node.ts';

export interface WrittenSnapshot {
  readonly bytes: Uint8Array;
  /** Nodes in the order in which they were written. */
  readonly nodes: readonly GraphNode[];
  /** Length of each node, in bytes. */
  readonly sizes: readonly number[];
}

/** Numbers what is reachable from `root`, breadth first, and writes it. */
export function writeSnapshot(root: GraphNode): WrittenSnapshot {
  const nodes: GraphNode[] = [root];
  root.index = 0;
  for (let next = 0; next < nodes.length; next++) {
    for (const value of (nodes[next] as GraphNode).values) {
      if (!(value instanceof GraphNode) || value.index !== -1) continue;
      value.index = nodes.length;
      nodes.push(value);
    }
  }
  const writer = new ByteWriter();
  writer.byte(SNAPSHOT_VERSION);
  writer.varint(nodes.length);
  const sizes: number[] = [];
  for (const node of nodes) {
    const from = writer.length;
    writeTag(writer, node);
    writer.varint(node.values.length);
    for (const value of node.values) writeValue(writer, value);
    sizes.push(writer.length - from);
  }
  return { bytes: writer.finish(), nodes, sizes };
}

function writeTag(writer: ByteWriter, { tag, isTied, integrity }: GraphNode): void {
  const isRestricted = integrity !== Integrity.Extensible;
  writer.byte(tag | (isTied ? TIED : 0) | (isRestricted ? RESTRICTED : 0));
  if (isRestricted) writer.byte(integrity);
}

function writeValue(writer: ByteWriter, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof GraphNode) {
      writer.byte(ValueTag.Reference);
      writer.varint(value.index);
    } else if (value instanceof NameValue) writer.name(value.name);
    else writer.bytes(value as Uint8Array);
  } else if (value === HOLE_VALUE) writer.byte(ValueTag.Hole);
  else writer.primitive(value);
}

/** What must exist before a node can be made. Containers break cycles: they are made empty. */
function prerequisites(node: GraphNode): readonly unknown[] {
  switch (node.tag) {
    case NodeTag.Closure:
      return node.values;
    case NodeTag.FullClosure:
      return node.values.filter((_, index) => index === 1 || index >= 4);
    case NodeTag.Class:
      // `static #x` is set later.
      return node.values.filter(
        (_, index) => index >= 3 && node.meta?.captures[index - 3]?.isStaticPrivate !== true,
      );
    case NodeTag.Method:
    case NodeTag.Instance:
    case NodeTag.BuiltinInstance:
    case NodeTag.Heir:
      return node.values.slice(0, 1);
    case NodeTag.Bound:
    case NodeTag.Protocol:
      return node.values;
    default:
      return [];
  }
}

/**
 * In each cycle of closures some are made before their captures exist ("tied"). Only closures with a capture that may be
 * younger than themselves have the text for that, and each cycle has at least one.
 */
export function tieCycles(root: GraphNode): void {
  const done = new Set<GraphNode>();
  const path: GraphNode[] = [];
  const onPath = new Set<GraphNode>();
  // Not a recursion: a chain of closures may be deeper than the stack.
  const visit = (first: GraphNode): void => {
    const open: Iterator<unknown>[] = [];
    const enter = (node: GraphNode): void => {
      path.push(node);
      onPath.add(node);
      open.push(prerequisites(node).values());
    };
    enter(first);
    for (let current = open.at(-1); current !== undefined; current = open.at(-1)) {
      const { done: isOver, value: next } = current.next();
      if (isOver === true) {
        open.pop();
        const node = path.pop() as GraphNode;
        onPath.delete(node);
        done.add(node);
      } else if (next instanceof GraphNode && !done.has(next)) {
        if (!onPath.has(next)) enter(next);
        else for (const member of path.slice(path.indexOf(next))) tie(member);
      }
    }
  };
  const seen = new Set<GraphNode>([root]);
  for (const node of seen) {
    if (!done.has(node)) visit(node);
    for (const next of node.values) if (next instanceof GraphNode) seen.add(next);
  }
}

function tie(node: GraphNode): void {
  if (node.meta?.mayBeCyclic === true) node.isTied = true;
}

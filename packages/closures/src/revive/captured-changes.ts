import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { closureMeta } from '../capture/closure-registry.ts';
import type { ClosureMeta } from '../manifest.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';
import type { Revival } from './revival.ts';

/** A value that a revived function captured and that is no longer what the snapshot says. */
export interface CapturedChange {
  /** From the captured variable on: `totals`, `totals.byUser`, `rates[3]`. */
  readonly path: string;
  /** The captured variable. */
  readonly name: string;
  /** Of the function that captured it: "job.ts:12:8". */
  readonly place: string;
  /** Where the variable is declared: "job.ts:3:7". */
  readonly declared?: string;
}

/** Larger snapshots are not looked through. */
const NODES_MAX = 20_000;

/** A captured variable, and the way from it to a value. */
interface Route {
  readonly meta: ClosureMeta | undefined;
  readonly capture: number;
  readonly text: string;
}

/**
 * Remembers what `revival` captured as it is now. The function that it returns tells what has changed since: on a cluster such a change
 * is lost with the task's copy. Only what is reached without a `perExecutor` counts (its state is meant to change), and a regular
 * expression's lastIndex does not.
 */
export function watchCaptured({ nodes, built }: Revival): () => readonly CapturedChange[] {
  if (nodes.length > NODES_MAX) return () => [];
  const routes = routesOf(nodes);
  const before = [...routes.keys()]
    .filter((index) => built.has(index) && isWatched(nodes[index] as SnapshotNode))
    .map((index) => ({
      index,
      value: built.get(index) as object,
      photo: photoOf(built.get(index) as object),
    }));
  return () =>
    before.flatMap(({ index, value, photo }) => {
      const now = photoOf(value);
      if (now.length === photo.length && now.every((part, at) => Object.is(part, photo[at]))) return [];
      const change = describe(routes.get(index) as Route);
      return change ? [change] : [];
    });
}

/** How each node is reached from the function; nothing behind a `perExecutor`. */
function routesOf(nodes: readonly SnapshotNode[]): ReadonlyMap<number, Route> {
  const routes = new Map<number, Route>([[0, { meta: undefined, capture: 0, text: '' }]]);
  // A Map may grow while it is walked.
  for (const [index, route] of routes) {
    const node = nodes[index];
    if (node === undefined || isOpaque(node)) continue;
    for (const [at, value] of node.values.entries()) {
      if (value instanceof NodeReference && !routes.has(value.index))
        routes.set(value.index, routeTo(node, at, route));
    }
  }
  return routes;
}

function isOpaque({ tag }: SnapshotNode): boolean {
  return tag === NodeTag.PerExecutor || tag === NodeTag.Accumulator || tag === NodeTag.Protocol;
}

const WATCHED: ReadonlySet<NodeTag> = new Set([
  NodeTag.Object,
  NodeTag.NullObject,
  NodeTag.Heir,
  NodeTag.Array,
  NodeTag.Map,
  NodeTag.Set,
  NodeTag.Instance,
  NodeTag.BuiltinInstance,
  NodeTag.Date,
  NodeTag.Buffer,
  NodeTag.TypedArray,
  NodeTag.ArrayBuffer,
  NodeTag.FullClosure,
  NodeTag.Class,
]);

function isWatched({ tag }: SnapshotNode): boolean {
  return WATCHED.has(tag);
}

function routeTo(node: SnapshotNode, at: number, from: Route): Route {
  const { tag, values } = node;
  switch (tag) {
    case NodeTag.Closure:
    case NodeTag.FullClosure:
    case NodeTag.Class: {
      const meta = closureMeta(values[0] as string);
      const first = tag === NodeTag.Closure ? 1 : tag === NodeTag.Class ? 3 : 4;
      // `this` of a full closure comes before the captures, and is the last of their names.
      const capture = at >= first ? at - first : (meta?.captures.length ?? 1) - 1;
      const isPart = tag === NodeTag.Class ? at < first : at > 1 && at < first;
      return isPart
        ? { ...from, text: from.meta ? from.text : (meta?.name ?? '') }
        : { meta, capture, text: '' };
    }
    case NodeTag.Array:
      return { ...from, text: `${from.text}[${at}]` };
    case NodeTag.Map:
      return { ...from, text: `${from.text}.get(${shown(values[at - 1])})` };
    case NodeTag.Object:
    case NodeTag.NullObject:
    case NodeTag.Instance:
    case NodeTag.BuiltinInstance:
    case NodeTag.Error: {
      const key = values[at - 1];
      return typeof key === 'string' ? { ...from, text: `${from.text}.${key}` } : from;
    }
    default:
      return from;
  }
}

function shown(key: unknown): string {
  return key instanceof NodeReference ? '…' : (JSON.stringify(key) ?? String(key));
}

function describe({ meta, capture, text }: Route): CapturedChange | undefined {
  if (meta === undefined) return undefined;
  const { name, declaredAt, declaredIn } = meta.captures[capture] ?? { name: meta.name };
  const { file, start } = meta;
  return {
    path: `${name}${text}`,
    name,
    place: `${file}:${start.line}:${start.column + 1}`,
    ...(declaredAt && { declared: `${declaredIn ?? file}:${declaredAt.line}:${declaredAt.column + 1}` }),
  };
}

/** Everything that can be changed of one object, in a flat list; its parts have lists of their own. Runs no getter of the user's. */
function photoOf(value: object): unknown[] {
  const parts: unknown[] = [];
  if (types.isMap(value)) for (const entry of Map.prototype.entries.call(value)) parts.push(...entry);
  else if (types.isSet(value)) for (const member of Set.prototype.values.call(value)) parts.push(member);
  else if (types.isDate(value)) parts.push(Date.prototype.getTime.call(value));
  else if (types.isAnyArrayBuffer(value)) return [Buffer.from(value).toString('latin1')];
  else if (ArrayBuffer.isView(value)) {
    return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')];
  }
  for (const key of Reflect.ownKeys(value)) {
    const { get, value: held } = (Object.getOwnPropertyDescriptor(value, key) ?? {}) as {
      readonly get?: unknown;
      readonly value?: unknown;
    };
    parts.push(key, get ?? held);
  }
  return parts;
}

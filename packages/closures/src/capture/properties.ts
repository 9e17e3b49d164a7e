import { types } from 'node:util';
import { messageOf } from '@millrace/common';
import { Integrity, NodeTag } from '../snapshot/snapshot-format.ts';
import type { CaptureGraph } from './capture-graph.ts';
import { tagOf } from './closure-tag.ts';
import { type GraphNode, NameValue, type Step } from './graph-node.ts';
import { createThere } from './suggestion.ts';

type Skip = (key: string) => boolean;

const NOTHING: Skip = () => false;

/**
 * Adds the own properties of `value` to those of its node, but `skip`. Getters are evaluated: they travel as data. What
 * is enumerable stays so; `writable` and `configurable` travel as far as the whole object is frozen or sealed.
 */
export function pushProperties(graph: CaptureGraph, node: GraphNode, value: object, skip?: Skip): void {
  const offset = node.values.length;
  for (const key of Object.keys(value)) {
    if (skip?.(key) !== true)
      node.values.push(new NameValue(key), graph.value(readProperty(graph, node, value, key)));
  }
  pushHidden(graph, node, value, skip);
  followSteps(node, offset);
  node.integrity = integrityOf(value);
}

/** Symbols, and what `Object.keys` does not show. Most objects have neither. */
function pushHidden(graph: CaptureGraph, node: GraphNode, value: object, skip: Skip = NOTHING): void {
  const symbols = Object.getOwnPropertySymbols(value);
  const names = Object.getOwnPropertyNames(value);
  const isEnumerable = (key: string | symbol): boolean =>
    Object.prototype.propertyIsEnumerable.call(value, key);
  const hidden: (string | symbol)[] = [];
  for (const symbol of symbols) {
    if (!isEnumerable(symbol)) hidden.push(symbol);
    else node.values.push(graph.value(symbol), graph.value(readProperty(graph, node, value, symbol)));
  }
  hidden.push(...names.filter((name) => !isEnumerable(name) && !skip(name) && !isCallee(value, name)));
  if (hidden.length === 0) return;
  node.values.push(true, undefined);
  for (const key of hidden)
    node.values.push(
      typeof key === 'symbol' ? graph.value(key) : new NameValue(key),
      graph.value(readProperty(graph, node, value, key)),
    );
}

/** Reading it throws. */
function isCallee(value: object, name: string): boolean {
  return name === 'callee' && types.isArgumentsObject(value);
}

function followSteps(node: GraphNode, offset: number): void {
  const inherited = node.steps;
  node.steps = (index) =>
    index >= offset ? propertyStep(node, index, offset) : (inherited?.(index) ?? { kind: 'link', text: '' });
}

function propertyStep(node: GraphNode, index: number, offset: number): Step {
  const isKey = (index - offset) % 2 === 0;
  const key = node.values[isKey ? index : index - 1];
  if (key instanceof NameValue) return { kind: 'property', key: key.name };
  const source = (key as GraphNode | undefined)?.source;
  const symbol = typeof source === 'symbol' ? String(source) : '';
  return { kind: 'link', text: isKey ? ` (key ${symbol})` : `[${symbol}]` };
}

function readProperty(graph: CaptureGraph, node: GraphNode, value: object, key: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown>)[key];
  } catch (error) {
    graph.fail(node, {
      code: 'CLOSURE_CAPTURE',
      reason: `its getter \`${String(key)}\` threw: ${messageOf(error)}`,
      fix: createThere,
    });
    return undefined;
  }
}

export function integrityOf(value: object): Integrity {
  if (Object.isExtensible(value)) return Integrity.Extensible;
  if (Object.isFrozen(value)) return Integrity.Frozen;
  return Object.isSealed(value) ? Integrity.Sealed : Integrity.Fixed;
}

/**
 * A list of own properties of a function or of its prototype; undefined when there are none. Accessors travel only when
 * they came from outside of the class's text: then their functions are known.
 */
export function propertyList(
  graph: CaptureGraph,
  holder: object,
  keys: readonly (string | symbol)[],
  owner?: object,
  prototype?: object | null,
): GraphNode | undefined {
  const values: unknown[] = prototype === undefined ? [] : [null, graph.value(prototype)];
  const hidden: unknown[] = [];
  for (const key of keys) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor === undefined) continue;
    const value = 'value' in descriptor ? graph.value(descriptor.value) : accessor(graph, descriptor);
    if (value === undefined && !('value' in descriptor)) continue;
    const tag = typeof descriptor.value === 'function' ? tagOf(descriptor.value as object) : undefined;
    if (owner !== undefined && tag?.kind === 'method' && tag.owner === owner && tag.key === key) continue;
    const list = descriptor.enumerable === true ? values : hidden;
    list.push(typeof key === 'symbol' ? graph.value(key) : new NameValue(key), value);
  }
  if (hidden.length > 0) values.push(true, undefined, ...hidden);
  if (values.length === 0) return undefined;
  const list = graph.synthetic(NodeTag.Object, values);
  followSteps(list, 0);
  return list;
}

interface Accessors {
  readonly get?: unknown;
  readonly set?: unknown;
}

function accessor(graph: CaptureGraph, { get, set }: Accessors): GraphNode | undefined {
  const isTagged = [get, set].some((method) => typeof method === 'function' && tagOf(method) !== undefined);
  if (!isTagged) return undefined;
  const node = graph.synthetic(NodeTag.Accessor, [graph.value(get), graph.value(set)]);
  node.steps = (index) => ({ kind: 'link', text: index === 0 ? ' (getter)' : ' (setter)' });
  return node;
}

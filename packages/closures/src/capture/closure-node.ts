import { types } from 'node:util';
import { messageOf } from '@millrace/common';
import type { CaptureMeta, ClosureMeta } from '../manifest.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import type { CaptureGraph } from './capture-graph.ts';
import { type CaptureThunk, tagOf } from './closure-tag.ts';
import { type GraphNode, NameValue, type Step } from './graph-node.ts';

/** A function: its id, what it captures, and what was hung on it. */
export function encodeClosure(
  graph: CaptureGraph,
  node: GraphNode,
  fn: object,
  thunk: CaptureThunk | undefined,
  meta: ClosureMeta,
): void {
  const captured = readCaptures(graph, node, thunk, meta);
  if (captured === undefined) return;
  const own = propertiesOf(graph, fn, Object.keys(fn));
  const onPrototype = prototypeProperties(graph, fn);
  const { captures } = meta;
  // The transform puts `this` last.
  const hasThis = captures.at(-1)?.isThis === true;
  const count = hasThis ? captures.length - 1 : captures.length;
  const isSimple = !hasThis && own === undefined && onPrototype === undefined;
  const values: unknown[] = isSimple ? [meta.id] : [meta.id, graph.value(captured[count]), own, onPrototype];
  const first = values.length;
  for (let i = 0; i < count; i++) values.push(graph.value(captured[i]));
  node.tag = isSimple ? NodeTag.Closure : NodeTag.FullClosure;
  node.values = values;
  node.steps = (index) =>
    captureStep(meta, index >= first ? captures[index - first] : captures[index === 1 ? count : -1]);
}

/** A class: what it captures, its statics and replaced members by value. What only its methods use may be poisoned. */
export function encodeClass(
  graph: CaptureGraph,
  node: GraphNode,
  owner: object,
  thunk: CaptureThunk | undefined,
  meta: ClosureMeta,
): void {
  const captured = readCaptures(graph, node, thunk, meta);
  if (captured === undefined) return;
  const statics = propertiesOf(graph, owner, staticNames(owner), owner);
  const members = prototypeProperties(graph, owner);
  for (const list of [statics, members]) if (list !== undefined) list.soft = isValueOfPair;
  node.tag = NodeTag.Class;
  node.values = [meta.id, statics, members, ...captured.map((value) => graph.value(value))];
  node.steps = (index) => (index >= 3 ? captureStep(meta, meta.captures[index - 3]) : LINK);
  node.soft = (index) => index >= 3 && meta.captures[index - 3]?.eager !== true;
}

const LINK: Step = { kind: 'link', text: '' };

function isValueOfPair(index: number): boolean {
  return index % 2 === 1;
}

function captureStep(closure: ClosureMeta, capture: CaptureMeta | undefined): Step {
  return capture === undefined ? LINK : { kind: 'capture', closure, capture };
}

function readCaptures(
  graph: CaptureGraph,
  node: GraphNode,
  thunk: CaptureThunk | undefined,
  meta: ClosureMeta,
): readonly unknown[] | undefined {
  try {
    return thunk === undefined ? [] : thunk();
  } catch (error) {
    const message = messageOf(error);
    const name = /'([^']+)'|^(\S+) is not defined/.exec(message);
    const capture =
      meta.captures.find((candidate) => candidate.name === (name?.[1] ?? name?.[2])) ?? meta.captures[0];
    const isEarly = types.isNativeError(error) && error.name === 'ReferenceError';
    graph.fail(node, {
      code: isEarly ? 'CLOSURE_USE_BEFORE_INIT' : 'CLOSURE_CAPTURE',
      reason: message,
      fix: isEarly
        ? 'move the declaration above this line'
        : 'make the captured expression safe to read here',
      at: { file: meta.file, ...(capture?.at ?? meta.start), name: capture?.name ?? '' },
    });
    return undefined;
  }
}

/** Own data properties as a list of names and values; undefined when there are none. */
function propertiesOf(
  graph: CaptureGraph,
  holder: object,
  names: readonly string[],
  owner?: object,
): GraphNode | undefined {
  if (names.length === 0) return undefined;
  const values: unknown[] = [];
  for (const name of names) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name);
    if (descriptor === undefined || !('value' in descriptor)) continue;
    const value: unknown = descriptor.value;
    const tag = typeof value === 'function' ? tagOf(value) : undefined;
    if (owner !== undefined && tag?.kind === 'method' && tag.owner === owner && tag.key === name) continue;
    values.push(new NameValue(name), graph.value(value));
  }
  if (values.length === 0) return undefined;
  const node = graph.synthetic(NodeTag.Object, values);
  node.steps = (index) => ({ kind: 'property', key: (values[index - 1] as NameValue).name });
  return node;
}

/** Statics: everything but what each class has. A static called `name` is enumerable, the class's own name is not. */
function staticNames(owner: object): string[] {
  return Object.getOwnPropertyNames(owner).filter(
    (name) =>
      name !== 'prototype' &&
      ((name !== 'length' && name !== 'name') || Object.prototype.propertyIsEnumerable.call(owner, name)),
  );
}

function prototypeProperties(graph: CaptureGraph, fn: object): GraphNode | undefined {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  if (typeof prototype !== 'object' || prototype === null) return undefined;
  const names = Object.getOwnPropertyNames(prototype);
  if (names.length === 0 || (names.length === 1 && names[0] === 'constructor')) return undefined;
  return propertiesOf(
    graph,
    prototype,
    names.filter((name) => name !== 'constructor'),
    fn,
  );
}

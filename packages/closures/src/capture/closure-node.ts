import { types } from 'node:util';
import { messageOf } from '@millrace/common';
import type { CaptureMeta, ClosureMeta } from '../manifest.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import type { CaptureGraph } from './capture-graph.ts';
import type { CaptureThunk } from './closure-tag.ts';
import { GraphNode, NameValue, type Step } from './graph-node.ts';
import { integrityOf, propertyList } from './properties.ts';

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
  const own = ownProperties(graph, fn);
  const onPrototype = addedToPrototype(graph, fn);
  const receiver = receiverOf(graph, node, captured, meta);
  const isSimple = receiver === undefined && own === undefined && onPrototype === undefined;
  const values: unknown[] = isSimple ? [meta.id] : [meta.id, receiver, own, onPrototype];
  const first = values.length;
  const count = meta.captures.findIndex((capture) => capture.isThis === true || capture.ofThis !== undefined);
  const captures = count === -1 ? meta.captures : meta.captures.slice(0, count);
  for (const [index, { members }] of captures.entries()) {
    const value = graph.value(captured[index]);
    values.push(value);
    if (members === undefined || !(value instanceof GraphNode)) continue;
    node.wants ??= [];
    node.wants.push({ owner: value, members });
  }
  node.tag = isSimple ? NodeTag.Closure : NodeTag.FullClosure;
  node.values = values;
  const self = meta.captures.at(-1);
  node.steps = (index) =>
    captureStep(
      meta,
      index >= first ? captures[index - first] : index === 1 && self?.isThis ? self : undefined,
    );
  node.integrity = integrityOf(fn);
}

/** The arrow's `this`: the object, or a copy of the properties that are read. The transform puts both last. */
function receiverOf(
  graph: CaptureGraph,
  owner: GraphNode,
  captured: readonly unknown[],
  meta: ClosureMeta,
): unknown {
  const { captures } = meta;
  const last = captures.at(-1);
  if (last?.isThis === true) return graph.value(captured[captures.length - 1]);
  if (last?.ofThis === undefined) return undefined;
  const values: unknown[] = [];
  const read: CaptureMeta[] = [];
  for (const [index, capture] of captures.entries()) {
    if (capture.ofThis === undefined) continue;
    values.push(new NameValue(capture.ofThis), graph.value(captured[index]));
    read.push(capture);
  }
  const copy = graph.synthetic(NodeTag.Object, values);
  copy.steps = (index) => captureStep(meta, read[index >> 1]);
  graph.receivers.add(captured[captures.length], copy, owner);
  return copy;
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
  const statics = propertyList(graph, owner, staticNames(owner), owner);
  const members = propertyList(graph, prototypeOf(owner), memberNames(owner), owner);
  for (const list of [statics, members]) if (list !== undefined) list.soft = isValueOfPair;
  node.tag = NodeTag.Class;
  node.values = [meta.id, statics, members, ...captured.map((value) => graph.value(value))];
  node.steps = (index) => (index >= 3 ? captureStep(meta, meta.captures[index - 3]) : LINK);
  node.soft = (index) => index >= 3 && meta.captures[index - 3]?.eager !== true;
  node.integrity = integrityOf(owner);
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
  let captured: readonly unknown[];
  try {
    captured = thunk === undefined ? [] : thunk();
  } catch (error) {
    const isEarly = types.isNativeError(error) && error.name === 'ReferenceError';
    failToRead(graph, node, meta, isEarly ? missingName(meta, error.message) : undefined, error, isEarly);
    return undefined;
  }
  // The bundler turns classes into `var`: one that is used too early is undefined.
  const early = meta.captures.find(
    (capture, index) => capture.isClassName === true && captured[index] === undefined,
  );
  if (early === undefined) return captured;
  const message = `Cannot access '${early.name}' before initialization`;
  failToRead(graph, node, meta, early, new ReferenceError(message), true);
  return undefined;
}

/** The capture that V8's message names; the bundler may have given the variable another name (`later$1`). */
function missingName(meta: ClosureMeta, message: string): CaptureMeta | undefined {
  const match = /'([^']+)'|^(\S+) is not defined/.exec(message);
  const name = match?.[1] ?? match?.[2] ?? '';
  const original = name.replace(/\$\d+$/, '');
  return (
    meta.captures.find((capture) => capture.name === name) ??
    meta.captures.find((capture) => capture.name === original) ??
    meta.captures.find((capture) => capture.importedFrom?.name === original)
  );
}

function failToRead(
  graph: CaptureGraph,
  node: GraphNode,
  meta: ClosureMeta,
  found: CaptureMeta | undefined,
  error: unknown,
  isEarly: boolean,
): void {
  const capture = found ?? meta.captures[0];
  graph.fail(node, {
    code: isEarly ? 'CLOSURE_USE_BEFORE_INIT' : 'CLOSURE_CAPTURE',
    reason:
      found !== undefined && isEarly
        ? `Cannot access '${found.name}' before initialization`
        : messageOf(error),
    fix: isEarly
      ? `move the declaration of \`${capture?.name ?? 'it'}\` above this line`
      : 'make the captured expression safe to read here',
    at: { file: meta.file, ...(capture?.at ?? meta.start), name: capture?.name ?? '' },
    ...(found?.declaredAt && {
      declaredAt: { file: found.declaredIn ?? meta.file, ...found.declaredAt, name: found.name },
    }),
  });
}

/** Statics: everything but what each class has. A static called `name` is enumerable, the class's own name is not. */
function staticNames(owner: object): (string | symbol)[] {
  return Reflect.ownKeys(owner).filter(
    (name) =>
      name !== 'prototype' &&
      ((name !== 'length' && name !== 'name') || Object.prototype.propertyIsEnumerable.call(owner, name)),
  );
}

function memberNames(fn: object): (string | symbol)[] {
  return Reflect.ownKeys(prototypeOf(fn)).filter((name) => name !== 'constructor');
}

function prototypeOf(fn: object): object {
  return Object.getOwnPropertyDescriptor(fn, 'prototype')?.value as object;
}

const OF_EACH_FUNCTION = new Set<string | symbol>(['length', 'name', 'prototype', 'arguments', 'caller']);

/** What was hung on a function; its prototype, too, when that was replaced by another object. */
function ownProperties(graph: CaptureGraph, fn: object): GraphNode | undefined {
  const keys = Reflect.ownKeys(fn).filter((key) => !OF_EACH_FUNCTION.has(key));
  if (hasReplacedPrototype(fn)) keys.push('prototype');
  return keys.length === 0 ? undefined : propertyList(graph, fn, keys);
}

/** `Point.prototype = { … }`, as one wrote it before there were classes. */
function hasReplacedPrototype(fn: object): boolean {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    !types.isGeneratorFunction(fn) &&
    Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value !== fn
  );
}

/** What was added to the prototype that a function is born with, and what that was made to inherit from. */
function addedToPrototype(graph: CaptureGraph, fn: object): GraphNode | undefined {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  if (typeof prototype !== 'object' || prototype === null || hasReplacedPrototype(fn)) return undefined;
  const parent = Object.getPrototypeOf(prototype) as object | null;
  const isBorn = parent === Object.prototype || types.isGeneratorFunction(fn);
  const names = memberNames(fn);
  if (isBorn && names.length === 0) return undefined;
  return propertyList(graph, prototype, names, fn, isBorn ? undefined : parent);
}

import { Buffer } from 'node:buffer';
import { isBuiltin } from 'node:module';
import { types } from 'node:util';
import { messageOf } from '@millrace/common';
import { DESERIALIZE, NodeTag, SERIALIZE } from '../snapshot/snapshot-format.ts';
import type { CaptureGraph } from './capture-graph.ts';
import { closureMeta, importMeta } from './closure-registry.ts';
import { tagOf } from './closure-tag.ts';
import { recipeOf } from './constructed.ts';
import { GraphNode, HOLE_VALUE, NameValue } from './graph-node.ts';
import { identityOf } from './identity.ts';
import { createThere } from './suggestion.ts';

const ERRORS = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'AggregateError',
]);

/** Data: containers, builtins, and instances of classes that executors can have. */
export function encodeObject(graph: CaptureGraph, node: GraphNode, value: object): void {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) {
    encodePlain(graph, node, value, prototype);
    return;
  }
  const content = builtinContent(graph, node, value, prototype);
  if (content === 'done') return;
  const recipe = recipeOf(value);
  if (recipe !== undefined) {
    const [path, ...args] = recipe;
    node.tag = NodeTag.Constructed;
    node.values = [path, ...args.map((arg) => graph.value(arg))];
    return;
  }
  encodeInstance(graph, node, value, prototype, content);
}

function encodePlain(graph: CaptureGraph, node: GraphNode, value: object, prototype: object | null): void {
  node.tag = prototype === null ? NodeTag.NullObject : NodeTag.Object;
  pushProperties(graph, node, value);
}

/** Getters are evaluated: they travel as data. Symbol keys and frozenness do not travel. */
function pushProperties(graph: CaptureGraph, node: GraphNode, value: object): void {
  const offset = node.values.length;
  for (const key of Object.keys(value)) {
    node.values.push(new NameValue(key), graph.value(readProperty(graph, node, value, key)));
  }
  const inherited = node.steps;
  node.steps = (index) =>
    index >= offset
      ? { kind: 'property', key: (node.values[index - 1] as NameValue).name }
      : (inherited?.(index) ?? { kind: 'link', text: '' });
}

function readProperty(graph: CaptureGraph, node: GraphNode, value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch (error) {
    graph.fail(node, {
      code: 'CLOSURE_CAPTURE',
      reason: `its getter \`${key}\` threw: ${messageOf(error)}`,
      fix: createThere,
    });
    return undefined;
  }
}

/**
 * Builtins. 'done' when `value` is exactly a builtin; a node with the builtin's content when it is an instance of a
 * class that extends one; undefined when it has no builtin part.
 */
function builtinContent(
  graph: CaptureGraph,
  node: GraphNode,
  value: object,
  prototype: object,
): GraphNode | 'done' | undefined {
  const base = builtinBase(value);
  if (base === undefined) return undefined;
  const isExact =
    prototype === (Reflect.get(globalThis, base) as { prototype: object } | undefined)?.prototype;
  const target = isExact ? node : new GraphNode(NodeTag.Object, undefined);
  fillBuiltin(graph, target, value, base);
  return isExact ? 'done' : target;
}

function builtinBase(value: object): string | undefined {
  if (Array.isArray(value)) return 'Array';
  if (types.isMap(value)) return 'Map';
  if (types.isSet(value)) return 'Set';
  if (types.isDate(value)) return 'Date';
  if (types.isRegExp(value)) return 'RegExp';
  if (Buffer.isBuffer(value)) return 'Buffer';
  if (ArrayBuffer.isView(value)) return types.isDataView(value) ? 'DataView' : typedArrayName(value);
  if (types.isArrayBuffer(value)) return 'ArrayBuffer';
  if (types.isNativeError(value)) return errorName(value);
  if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) {
    return (value.valueOf() as { constructor: { name: string } }).constructor.name;
  }
  return value instanceof URL ? 'URL' : undefined;
}

function typedArrayName(value: ArrayBufferView): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function errorName(error: Error): string {
  for (
    let holder = Object.getPrototypeOf(error) as object | null;
    holder !== null;
    holder = Object.getPrototypeOf(holder) as object | null
  ) {
    const candidate: unknown = Object.getOwnPropertyDescriptor(holder, 'constructor')?.value;
    if (
      typeof candidate === 'function' &&
      ERRORS.has(candidate.name) &&
      Reflect.get(globalThis, candidate.name) === candidate
    ) {
      return candidate.name;
    }
  }
  return 'Error';
}

function fillBuiltin(graph: CaptureGraph, node: GraphNode, value: object, base: string): void {
  switch (base) {
    case 'Array':
      fillArray(graph, node, value as unknown[]);
      return;
    case 'Map':
      fillMap(graph, node, value as Map<unknown, unknown>);
      return;
    case 'Set':
      node.tag = NodeTag.Set;
      node.values = Array.from(value as Set<unknown>, (member) => graph.value(member));
      node.steps = () => ({ kind: 'link', text: '.values()' });
      return;
    case 'Date':
      fillLeaf(node, NodeTag.Date, [(value as Date).getTime()]);
      return;
    case 'RegExp': {
      const { source, flags, lastIndex } = value as RegExp;
      fillLeaf(node, NodeTag.RegExp, [source, flags, lastIndex]);
      return;
    }
    case 'Buffer':
      fillLeaf(node, NodeTag.Buffer, [viewBytes(value as Buffer)]);
      return;
    case 'ArrayBuffer':
      fillLeaf(node, NodeTag.ArrayBuffer, [new Uint8Array(value as ArrayBuffer)]);
      return;
    case 'URL':
      fillLeaf(node, NodeTag.Url, [(value as URL).href]);
      return;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      fillLeaf(node, NodeTag.Boxed, [value.valueOf()]);
      return;
    default:
      if (ArrayBuffer.isView(value)) {
        fillLeaf(node, NodeTag.TypedArray, [base, viewBytes(value)]);
        return;
      }
      fillError(graph, node, value as Error, base);
      return;
  }
}

function fillLeaf(node: GraphNode, tag: NodeTag, values: unknown[]): void {
  node.tag = tag;
  node.values = values;
}

/** Only the part that the view shows: a slice of a pool does not drag the pool along. */
function viewBytes(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function fillArray(graph: CaptureGraph, node: GraphNode, value: unknown[]): void {
  node.tag = NodeTag.Array;
  const values: unknown[] = [];
  for (let i = 0; i < value.length; i++) values.push(i in value ? graph.value(value[i]) : HOLE_VALUE);
  node.values = values;
  node.steps = (index) => ({ kind: 'element', index });
}

function fillMap(graph: CaptureGraph, node: GraphNode, value: Map<unknown, unknown>): void {
  node.tag = NodeTag.Map;
  const values: unknown[] = [];
  for (const [key, member] of value) values.push(graph.value(key), graph.value(member));
  node.values = values;
  node.steps = (index) =>
    index % 2 === 0 ? { kind: 'link', text: '.keys()' } : { kind: 'entry', key: sourceOf(values[index - 1]) };
}

function sourceOf(value: unknown): unknown {
  return value instanceof GraphNode ? value.source : value;
}

function fillError(graph: CaptureGraph, node: GraphNode, error: Error, base: string): void {
  node.tag = NodeTag.Error;
  node.values = [base, error.message, error.stack];
  const hidden = ['cause', 'errors'].filter(
    (key) => Object.hasOwn(error, key) && !Object.keys(error).includes(key),
  );
  for (const key of hidden)
    node.values.push(new NameValue(key), graph.value((error as unknown as Record<string, unknown>)[key]));
  pushProperties(graph, node, error);
}

function encodeInstance(
  graph: CaptureGraph,
  node: GraphNode,
  value: object,
  prototype: object,
  content: GraphNode | undefined,
): void {
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof owner !== 'function' || owner.prototype !== prototype || !canRevive(owner)) {
    graph.fail(node, {
      code: 'CLOSURE_CAPTURE',
      reason: 'its class is not reachable from your sources or imports, so its methods could not be restored',
      fix: createThere,
    });
    return;
  }
  const serialize: unknown = Reflect.get(owner, SERIALIZE);
  if (typeof serialize === 'function') {
    node.tag = NodeTag.Protocol;
    node.values = [graph.value(owner), graph.value(Reflect.apply(serialize, owner, [value]))];
    node.steps = (index) => ({ kind: 'link', text: index === 1 ? ' (millrace.serialize)' : '' });
    return;
  }
  const hidden = hiddenFields(owner);
  if (hidden !== undefined) {
    graph.fail(node, {
      code: 'CLOSURE_CAPTURE',
      reason: `class ${hidden} has #private fields, which cannot be read from outside`,
      fix: `use \`private\` (TypeScript) fields, or give the class  static [Symbol.for('${SERIALIZE.description}')](value) and [Symbol.for('${DESERIALIZE.description}')](data)`,
    });
    return;
  }
  node.tag = content === undefined ? NodeTag.Instance : NodeTag.BuiltinInstance;
  node.values = content === undefined ? [graph.value(owner)] : [graph.value(owner), content];
  if (content?.tag !== NodeTag.Array) pushProperties(graph, node, value);
}

/** A class of the user, or one that an npm package exports. Node's own classes have state that nobody can read. */
function canRevive(owner: object): boolean {
  const tag = tagOf(owner);
  if (tag !== undefined) return tag.kind === 'class' || tag.kind === 'function';
  const identity = identityOf(owner);
  if (identity?.kind !== 'import') return false;
  const specifier = importMeta(identity.key)?.specifier;
  return specifier !== undefined && !isBuiltin(specifier);
}

/** The name of the class in the chain of `owner` that has `#private` instance fields. */
function hiddenFields(owner: object): string | undefined {
  for (
    let at: unknown = owner;
    typeof at === 'function' && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    const tag = tagOf(at);
    const isHidden =
      tag === undefined
        ? /[{;\s]#[A-Za-z_$][\w$]*\s*(?:=|;|\()/.test(Function.prototype.toString.call(at))
        : tag.kind === 'class' && closureMeta(tag.id)?.hasPrivateFields === true;
    if (isHidden) return at.name;
  }
  return undefined;
}

import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import type { CaptureGraph } from './capture-graph.ts';
import { GraphNode, HOLE_VALUE } from './graph-node.ts';
import { pushProperties } from './properties.ts';
import { asMap, createThere } from './suggestion.ts';

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

/** Above this the names of an array are not looked through for what is no element: that takes longer than its elements. */
const NAMED_ELEMENTS_MAX = 10_000;

const BOXED = [
  [types.isNumberObject, Number],
  [types.isStringObject, String],
  [types.isBooleanObject, Boolean],
  [types.isBigIntObject, BigInt],
] as const;

function boxedType(value: object) {
  return BOXED.find(([isOne]) => isOne(value))?.[1];
}

/** What a boxed primitive holds, whatever its class says in `valueOf`. */
function unboxed(value: object): unknown {
  const type = boxedType(value);
  return type === undefined ? undefined : Reflect.apply(type.prototype.valueOf, value, []);
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
);

/** `Float64Array`; a class may answer with a tag of its own, but not to the builtin's getter. */
function typedArrayName(value: object): string {
  return String(typedArrayTag?.get?.call(value));
}

/** Of a sparse array (`ids[4_000_000_000] = 1`). */
const HOLES_MAX = 1_000_000;

/** The name of the builtin class whose hidden state `value` has. */
export function builtinBase(value: object): string | undefined {
  if (Array.isArray(value)) return 'Array';
  if (types.isMap(value)) return 'Map';
  if (types.isSet(value)) return 'Set';
  if (types.isDate(value)) return 'Date';
  if (types.isRegExp(value)) return 'RegExp';
  if (Buffer.isBuffer(value)) return 'Buffer';
  if (ArrayBuffer.isView(value)) return types.isDataView(value) ? 'DataView' : typedArrayName(value);
  if (types.isArrayBuffer(value)) return 'ArrayBuffer';
  if (types.isNativeError(value)) return errorName(value);
  const boxed = boxedType(value);
  if (boxed !== undefined) return boxed.name;
  return value instanceof URL ? 'URL' : undefined;
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

/** What the builtin class `base` keeps of `value`, and the properties that were added to it. */
export function fillBuiltin(graph: CaptureGraph, node: GraphNode, value: object, base: string): void {
  switch (base) {
    case 'Array':
      fillArray(graph, node, value as unknown[]);
      return;
    case 'Map':
      fillMap(graph, node, value as Map<unknown, unknown>);
      return;
    case 'Set':
      node.tag = NodeTag.Set;
      node.values = Array.from(Set.prototype.values.call(value), (member) => graph.value(member));
      node.steps = () => ({ kind: 'link', text: '.values()' });
      return;
    case 'Date':
      fillLeaf(node, NodeTag.Date, [Date.prototype.getTime.call(value)]);
      return;
    case 'RegExp': {
      const { source, flags, lastIndex } = value as RegExp;
      fillLeaf(node, NodeTag.RegExp, [source, flags, lastIndex]);
      return;
    }
    case 'ArrayBuffer':
      fillBuffer(graph, node, value as ArrayBuffer);
      return;
    case 'URL':
      fillLeaf(node, NodeTag.Url, [(value as URL).href]);
      return;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      fillLeaf(node, NodeTag.Boxed, [unboxed(value)]);
      return;
    default:
      if (ArrayBuffer.isView(value)) fillView(graph, node, value, base);
      else fillError(graph, node, value as Error, base);
  }
}

function fillLeaf(node: GraphNode, tag: NodeTag, values: unknown[]): void {
  node.tag = tag;
  node.values = values;
}

const TRANSFERRED = 'its memory was transferred to another thread';

function fillBuffer(graph: CaptureGraph, node: GraphNode, buffer: ArrayBuffer): void {
  if (buffer.detached) {
    graph.fail(node, { code: 'CLOSURE_CAPTURE', reason: TRANSFERRED, fix: createThere });
    return;
  }
  const bytes = new Uint8Array(buffer);
  fillLeaf(node, NodeTag.ArrayBuffer, buffer.resizable ? [bytes, buffer.maxByteLength] : [bytes]);
}

function fillView(graph: CaptureGraph, node: GraphNode, view: ArrayBufferView, base: string): void {
  if (types.isSharedArrayBuffer(view.buffer)) {
    const reason = 'shared memory belongs to this process';
    graph.fail(node, { code: 'CLOSURE_CAPTURE', reason, fix: createThere });
  } else if (view.buffer.detached) {
    graph.fail(node, { code: 'CLOSURE_CAPTURE', reason: TRANSFERRED, fix: createThere });
  } else graph.views.add(node, view, base);
}

function fillArray(graph: CaptureGraph, node: GraphNode, value: unknown[]): void {
  node.tag = NodeTag.Array;
  const values: unknown[] = [];
  let holes = 0;
  for (let i = 0; i < value.length; i++) {
    if (i in value) values.push(graph.value(value[i]));
    else if (++holes <= HOLES_MAX) values.push(HOLE_VALUE);
    else break;
  }
  if (holes > HOLES_MAX) {
    const reason = `it has more than ${HOLES_MAX.toLocaleString('en')} holes, and each of them would take time and memory`;
    graph.fail(node, { code: 'CLOSURE_CAPTURE', reason, fix: asMap });
    return;
  }
  node.values = values;
  node.steps = (index) => ({ kind: 'element', index });
}

/** `match.index`, `strings.raw`, `list.total`: what a builtin got besides its content. */
export function hasNamedProperties(base: string, value: object): boolean {
  if (base === 'Array') return hasNamedElements(value as readonly unknown[]);
  // Of bytes the names of all elements would have to be made.
  if (ArrayBuffer.isView(value) || ERRORS.has(base)) return false;
  return Reflect.ownKeys(value).length > contentKeys(base, value);
}

/** `lastIndex` of a RegExp; the characters and `length` of a String. */
function contentKeys(base: string, value: object): number {
  if (base === 'String') return String.prototype.valueOf.call(value).length + 1;
  return base === 'RegExp' ? 1 : 0;
}

function hasNamedElements(array: readonly unknown[]): boolean {
  if (array.length > NAMED_ELEMENTS_MAX) return Object.hasOwn(array, 'raw');
  if (Object.getOwnPropertySymbols(array).length > 0) return true;
  // Indexes come first, then `length`, then what was added.
  return Object.getOwnPropertyNames(array).at(-1) !== 'length';
}

/** An index is content, not a property. */
export function isContentKey(base: string | undefined, key: string): boolean {
  switch (base) {
    case 'Array':
    case 'String':
      return key === 'length' || /^(?:0|[1-9]\d*)$/.test(key);
    case 'RegExp':
      return key === 'lastIndex';
    case undefined:
      return false;
    default:
      return ERRORS.has(base) ? ERROR_FIELDS.has(key) : base.endsWith('Array') && /^\d+$/.test(key);
  }
}

const ERROR_FIELDS = new Set(['message', 'stack']);

function fillMap(graph: CaptureGraph, node: GraphNode, value: Map<unknown, unknown>): void {
  node.tag = NodeTag.Map;
  const values: unknown[] = [];
  // A subclass may have an iterator of its own.
  for (const [key, member] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>)
    values.push(graph.value(key), graph.value(member));
  node.values = values;
  node.steps = (index) =>
    index % 2 === 0 ? { kind: 'link', text: '.keys()' } : { kind: 'entry', key: sourceOf(values[index - 1]) };
}

function sourceOf(value: unknown): unknown {
  return value instanceof GraphNode ? value.source : value;
}

/** `message` and `stack` have their place; `cause` and `errors` are properties that are not enumerable. */
function fillError(graph: CaptureGraph, node: GraphNode, error: Error, base: string): void {
  node.tag = NodeTag.Error;
  node.values = [base, error.message, error.stack];
  pushProperties(graph, node, error, (key) => ERROR_FIELDS.has(key));
}

import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { Integrity, NodeTag } from '../snapshot/snapshot-format.ts';
import { HOLE, NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';

type Resolve = (value: unknown) => unknown;
type Later = (task: () => void) => void;

/** Values without parts, made of this realm's constructors; undefined when `node` is no leaf. */
export function buildLeaf({ tag, values }: SnapshotNode, resolve: Resolve): unknown {
  const [first, second] = values;
  switch (tag) {
    case NodeTag.Date:
      return new Date(first as number);
    case NodeTag.RegExp: {
      const expression = new RegExp(first as string, second as string);
      expression.lastIndex = values[2] as number;
      return expression;
    }
    case NodeTag.Buffer:
      if (first instanceof NodeReference)
        return Buffer.from(resolve(first) as ArrayBuffer, second as number, values[2] as number);
      return Buffer.from(first as Uint8Array);
    case NodeTag.ArrayBuffer:
      return bufferOf(first as Uint8Array, second as number | undefined);
    case NodeTag.TypedArray: {
      const ViewType = Reflect.get(globalThis, first as string) as new (
        buffer: ArrayBuffer,
        byteOffset?: number,
        length?: number,
      ) => ArrayBufferView;
      if (second instanceof NodeReference)
        return new ViewType(resolve(second) as ArrayBuffer, values[2] as number, values[3] as number);
      return new ViewType(bufferOf(second as Uint8Array));
    }
    case NodeTag.Url:
      return new URL(first as string);
    case NodeTag.Boxed:
      return Object(first) as object;
    case NodeTag.RegisteredSymbol:
      return Symbol.for(first as string);
    case NodeTag.WellKnownSymbol:
      return Reflect.get(Symbol, first as string);
    default:
      return undefined;
  }
}

/** `maxByteLength`: of one that can grow. */
function bufferOf(bytes: Uint8Array, maxByteLength?: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes.byteLength, maxByteLength === undefined ? {} : { maxByteLength });
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

/** An empty container: it exists before its content, so cycles through it are no problem. */
export function makeContainer({ tag, values }: SnapshotNode, resolve: Resolve): object {
  switch (tag) {
    case NodeTag.Array:
      return [];
    case NodeTag.Map:
      return new Map();
    case NodeTag.Set:
      return new Set();
    case NodeTag.NullObject:
      return Object.create(null) as object;
    case NodeTag.Heir:
      return Object.create(resolve(values[0]) as object) as object;
    case NodeTag.Instance:
      return Object.create((resolve(values[0]) as { prototype: object }).prototype) as object;
    case NodeTag.BuiltinInstance:
      return makeBuiltinInstance(resolve(values[0]) as NewableFunction, resolve(values[1]) as object);
    case NodeTag.Error:
      return makeError(values[0] as string);
    default:
      return {};
  }
}

/** `message` and `stack`, and of an AggregateError `errors`, are set when it is filled. */
function makeError(name: string): Error {
  if (name === 'AggregateError') return new AggregateError([]);
  return new (Reflect.get(globalThis, name) as ErrorConstructor)();
}

/** The builtin part of an instance of `class X extends Map`: made without running X's constructor. */
function makeBuiltinInstance(owner: NewableFunction, content: object): object {
  if (content instanceof Date) return Reflect.construct(Date, [content.getTime()], owner) as object;
  if (ArrayBuffer.isView(content) || content instanceof RegExp) {
    return Object.setPrototypeOf(content, owner.prototype as object) as object;
  }
  if (content instanceof ArrayBuffer) return likeBuffer(content, owner);
  return Reflect.construct(content.constructor, contentArguments(content), owner) as object;
}

/** What the constructor needs to make the same; collections and errors are filled later. */
function contentArguments(content: object): unknown[] {
  if (content instanceof URL) return [content.href];
  if (content instanceof AggregateError) return [[]];
  return types.isBoxedPrimitive(content) ? [content.valueOf()] : [];
}

function likeBuffer(content: ArrayBuffer, owner: NewableFunction): object {
  const { byteLength, resizable, maxByteLength } = content;
  const options = resizable ? [{ maxByteLength }] : [];
  const buffer = Reflect.construct(ArrayBuffer, [byteLength, ...options], owner) as ArrayBuffer;
  new Uint8Array(buffer).set(new Uint8Array(content));
  return buffer;
}

/** Puts the content into a container made by `makeContainer`. */
export function fillContainer(container: object, node: SnapshotNode, resolve: Resolve, later: Later): void {
  const { tag, values } = node;
  switch (tag) {
    case NodeTag.Array: {
      const array = container as unknown[];
      array.length = values.length;
      for (const [index, value] of values.entries()) if (value !== HOLE) array[index] = resolve(value);
      return;
    }
    case NodeTag.Map:
      for (let i = 0; i < values.length; i += 2) {
        (container as Map<unknown, unknown>).set(resolve(values[i]), resolve(values[i + 1]));
      }
      return;
    case NodeTag.Set:
      for (const value of values) (container as Set<unknown>).add(resolve(value));
      return;
    case NodeTag.Instance:
    case NodeTag.Heir:
      setProperties(container, values, 1, resolve);
      return;
    case NodeTag.BuiltinInstance:
      setProperties(container, values, 2, resolve);
      // After the plain content is filled itself: its task is already queued.
      later(() => copyContent(resolve(values[1]) as object, container));
      return;
    case NodeTag.Error:
      define(container, 'message', values[1], false);
      define(container, 'stack', values[2], false);
      setProperties(container, values, 3, resolve);
      return;
    default:
      setProperties(container, values, 0, resolve);
      return;
  }
}

/** See the format: a name or a symbol, then its value; behind `true` those that are not enumerable. */
function setProperties(target: object, values: readonly unknown[], from: number, resolve: Resolve): void {
  let enumerable = true;
  for (let i = from; i < values.length; i += 2) {
    const name = values[i];
    if (name === true) {
      enumerable = false;
      continue;
    }
    const key = resolve(name) as string | symbol;
    const value = resolve(values[i + 1]);
    // Never through a setter of the class.
    if (!enumerable || key === '__proto__' || key in target) define(target, key, value, enumerable);
    else (target as Record<string | symbol, unknown>)[key] = value;
  }
}

function define(target: object, key: string | symbol, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable, configurable: true });
}

function copyContent(content: object, container: object): void {
  if (content instanceof Map) {
    for (const [key, value] of content) Map.prototype.set.call(container, key, value);
  } else if (content instanceof Set) {
    for (const value of content) Set.prototype.add.call(container, value);
  } else if (Array.isArray(content)) {
    (container as unknown[]).length = content.length;
    for (const index of content.keys())
      if (index in content) (container as unknown[])[index] = content[index];
  } else if (content instanceof Error) {
    for (const key of Object.getOwnPropertyNames(content)) {
      Object.defineProperty(
        container,
        key,
        Object.getOwnPropertyDescriptor(content, key) as PropertyDescriptor,
      );
    }
  }
}

export function restrict(value: object, integrity: Integrity): void {
  if (integrity === Integrity.Frozen) Object.freeze(value);
  else if (integrity === Integrity.Sealed) Object.seal(value);
  else Object.preventExtensions(value);
}

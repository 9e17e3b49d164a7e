import { types } from 'node:util';
import { isLeaf, isPlainObject } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { KafkaRow } from './kafka-row.ts';
import { ownText, VIEW_LENGTH_MIN } from './own-text.ts';

/**
 * A row that may leave its task: records become plain objects, bytes are copied out of the fetch, everything else is checked to be plain data.
 * V8's serialization would drop prototypes silently and throw unnamed errors for functions.
 * @throws MillraceError USER_CODE when it is not plain data.
 */
export function detach(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) {
    if (typeof row === 'function' || typeof row === 'symbol') throw notPlain(`a ${typeof row}`);
    return row;
  }
  return detachObject(row, undefined, false);
}

/** As `detach`, of what is kept for long: its texts are its own, too. @throws as `detach`. */
export function owned(value: unknown): unknown {
  if (typeof value === 'string') return ownText(value);
  return typeof value === 'object' && value !== null ? detachObject(value, undefined, true) : detach(value);
}

/** Whether `value` may be, or have, a part of something larger, so that a copy (`owned`) holds less. Looks `depth` levels deep. */
export function mayBePart(value: unknown, depth = 3): boolean {
  if (typeof value === 'string') return value.length >= VIEW_LENGTH_MIN;
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) return value.some((item) => mayBePart(item, depth - 1));
  return isPlainObject(value) ? Object.values(value).some((item) => mayBePart(item, depth - 1)) : true;
}

function detachObject(value: object, copies: Map<object, unknown> | undefined, ownsTexts: boolean): unknown {
  if (value instanceof KafkaRow) return detachObject(value.toJSON(), copies, ownsTexts);
  if (types.isUint8Array(value)) return copyBytes(value);
  if (isLeaf(value)) return leaf(value);
  // Made only for containers: cycles and shared parts stay what they are.
  const seen = copies ?? new Map<object, unknown>();
  if (seen.has(value)) return seen.get(value);
  if (Array.isArray(value)) {
    // With the same holes, which are slots that are nowhere; a plain one, whatever the class.
    const copy = ([] as unknown[]).concat(value);
    seen.set(value, copy);
    for (let index = 0; index < copy.length; index++) {
      const item = copy[index];
      if (item !== undefined) copy[index] = part(item, seen, ownsTexts);
    }
    return copy;
  }
  if (types.isMap(value)) {
    const copy = new Map<unknown, unknown>();
    seen.set(value, copy);
    for (const [key, item] of value) copy.set(part(key, seen, ownsTexts), part(item, seen, ownsTexts));
    return copy;
  }
  if (types.isSet(value)) {
    const copy = new Set<unknown>();
    seen.set(value, copy);
    for (const item of value) copy.add(part(item, seen, ownsTexts));
    return copy;
  }
  if (!isPlainObject(value))
    throw notPlain(`an instance of ${value.constructor?.name ?? 'an unknown class'}`);
  const copy: Record<string, unknown> = {};
  seen.set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    const own = part(item, seen, ownsTexts);
    // A field of that name in a JSON text is a field: assigning it would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { ...OWN, value: own });
    else copy[key] = own;
  }
  return copy;
}

const OWN = { configurable: true, enumerable: true, writable: true } as const;

/** Out of the fetch; what is a Buffer stays one, what is not does not become one. */
function copyBytes(value: Uint8Array): Uint8Array {
  return Buffer.isBuffer(value) ? Buffer.from(value) : value.slice();
}

function leaf(value: object): object {
  // V8 would make a plain Error of the user's own class, and drop its fields.
  const isForeign =
    types.isSymbolObject(value) || (types.isNativeError(value) && !isErrorClass(value.constructor));
  if (isForeign) throw notPlain(`an instance of ${value.constructor.name}`);
  // What a function changes later of its own must not change what is kept of it.
  if (types.isDate(value)) return new Date(value.getTime());
  if (types.isTypedArray(value)) return value.slice();
  return types.isArrayBuffer(value) ? value.slice(0) : value;
}

/** Error, TypeError … of any realm. */
function isErrorClass(owner: Function): boolean {
  return typeof Reflect.get(globalThis, owner.name) === 'function' && /^\w*Error$/.test(owner.name);
}

function part(value: unknown, seen: Map<object, unknown>, ownsTexts: boolean): unknown {
  if (typeof value === 'object' && value !== null) return detachObject(value, seen, ownsTexts);
  if (ownsTexts && typeof value === 'string') return ownText(value);
  if (typeof value === 'function' || typeof value === 'symbol') throw notPlain(`a ${typeof value}`);
  return value;
}

function notPlain(what: string): MillraceError {
  return new MillraceError(
    'USER_CODE',
    `a result of the task contains ${what}, which cannot be sent to the driver`,
    {
      remedy: 'Map rows to plain objects, arrays and primitives before the action.',
      retryable: false,
    },
  );
}

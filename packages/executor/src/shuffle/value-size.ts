import { types } from 'node:util';
import { KafkaRow } from '../pipeline/kafka-row.ts';

// Rough costs in V8 of a value and of a slot that refers to it. Only bounds depend on them, never a result.
const SLOT_BYTES = 8;
const OBJECT_BYTES = 32;
const VIEW_BYTES = 64;
/** Of a text, twice: two bytes a unit are no more than one is, with what OBJECT_BYTES has beside V8's header of 16. */
const SHORT_LENGTH = 16;
/** V8 takes two bytes for each unit of a text with one of these. It need not look for them in a text that has one byte a unit. */
const WIDE = /[\u0100-\uffff]/;

/**
 * An estimate of the bytes that a value takes in memory, the same for equal values on every machine (when to spill must not depend on
 * chance). Shared parts and cycles count once; parts of an array of flat arrays, each time.
 */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return OBJECT_BYTES + textSize(value);
    case 'object':
      return value === null ? SLOT_BYTES : objectSize(value);
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? OBJECT_BYTES : OBJECT_BYTES + value.toString(16).length / 2;
    default:
      return SLOT_BYTES;
  }
}

/** Bytes of its units. */
export function textSize(text: string): number {
  return text.length > SHORT_LENGTH && WIDE.test(text) ? 2 * text.length : text.length;
}

function objectSize(root: object): number {
  return flatSize(root, 1) ?? deepSize(root);
}

/** Of an array of primitives, or of such arrays, which needs no memory of what was seen; undefined for anything else. */
function flatSize(value: object, depth: number): number | undefined {
  if (!Array.isArray(value)) return undefined;
  let bytes = SLOT_BYTES + OBJECT_BYTES;
  for (let index = 0; index < value.length; index++) {
    const item: unknown = value[index];
    if (typeof item === 'object' && item !== null) {
      const inner = depth > 0 ? flatSize(item, depth - 1) : undefined;
      if (inner === undefined) return undefined;
      bytes += inner;
    } else bytes += SLOT_BYTES + sizeOf(item);
  }
  return bytes;
}

function deepSize(root: object): number {
  let bytes = 0;
  const seen = new Set<object>([root]);
  const add = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) bytes += SLOT_BYTES + sizeOf(item);
    else if (!seen.has(item)) seen.add(item);
  };
  // A set is iterated in the order in which it grows: no recursion, however deep the value is.
  for (const value of seen) {
    bytes += SLOT_BYTES + OBJECT_BYTES;
    if (value instanceof KafkaRow) bytes += KafkaRow.sizeOf(value);
    else if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) bytes += VIEW_BYTES + value.byteLength;
    else if (Array.isArray(value)) for (const item of value) add(item);
    else if (types.isSet(value)) for (const item of value) add(item);
    else if (types.isMap(value)) {
      for (const [key, item] of value) {
        add(key);
        add(item);
      }
    } else for (const name of Object.keys(value)) add((value as Record<string, unknown>)[name]);
  }
  return bytes;
}

import { types } from 'node:util';

/**
 * Why `value` is not plain data that survives the wire unchanged, with the path to the culprit; undefined when it is.
 * V8's serialization drops prototypes silently: what is not plain must be refused, not damaged.
 */
export function checkPlainData(
  value: unknown,
  path = 'it',
  seen: Set<object> = new Set(),
): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'function') return `${path} is a function`;
  if (typeof value === 'symbol') return `${path} is a symbol`;
  if (typeof value !== 'object') return undefined;
  if (seen.has(value)) return undefined;
  seen.add(value);
  if (isLeaf(value)) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const problem = checkPlainData(value[index], `${path}[${index}]`, seen);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (types.isMap(value)) {
    for (const [key, item] of value) {
      const problem =
        checkPlainData(key, `a key of ${path}`, seen) ?? checkPlainData(item, `a value of ${path}`, seen);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (types.isSet(value)) {
    for (const item of value) {
      const problem = checkPlainData(item, `a member of ${path}`, seen);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!isPlainObject(value))
    return `${path} is an instance of ${value.constructor?.name ?? 'an unknown class'}`;
  const record = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(record)) {
    const problem = checkPlainData(record[key], `${path}.${key}`, seen);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Values that V8 copies whole. */
export function isLeaf(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    ArrayBuffer.isView(value) ||
    types.isArrayBuffer(value) ||
    types.isNativeError(value) ||
    types.isBoxedPrimitive(value)
  );
}

/** `{}`, `Object.create(null)`, of any realm. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

import { invariant } from '@millrace/common';
import { keyText } from './key-map.ts';

/*
 * The hash of a key is that of its canonical text, UTF-16 unit by UTF-16 unit (FNV-1a, 32 bits), then mixed (MurmurHash3's finalizer: FNV's
 * low bits alone spread badly over few partitions). It is part of what executors agree on: the same on every machine and Node version
 * (how a number is written is ECMAScript's, Number::toString). Strings and integers have short cuts to the same number.
 */
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

const TAG_NUMBER = 'n'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const SEMICOLON = ';'.charCodeAt(0);

/** States after "s12:", by length: most keys are short. */
const STRING_PREFIX_STATES: readonly number[] = Array.from({ length: 256 }, (_, length) =>
  textState(FNV_OFFSET, `s${length}:`),
);

/**
 * An unsigned 32-bit hash, equal for keys that are equal canonically.
 * @throws MillraceError USER_CODE for what cannot be a key.
 */
export function keyHash(key: unknown): number {
  if (typeof key === 'string') return mixed(textHash(key));
  if (typeof key === 'number' && (key | 0) === key) return mixed(integerState(key));
  return mixed(textState(FNV_OFFSET, keyText(key)));
}

/** A 32-bit hash of a text, for tables of one process; `keyHash` before it is mixed. */
export function textHash(text: string): number {
  const prefix = STRING_PREFIX_STATES[text.length] ?? textState(FNV_OFFSET, `s${text.length}:`);
  return textState(prefix, text);
}

/** The partition of `partitions` that a key belongs to. @throws MillraceError USER_CODE for what cannot be a key. */
export function hashPartition(key: unknown, partitions: number): number {
  invariant(Number.isInteger(partitions) && partitions > 0, 'there is at least one partition');
  return keyHash(key) % partitions;
}

function textState(from: number, text: string): number {
  let state = from;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), FNV_PRIME);
  }
  return state;
}

/** The state after "n-12;", without making the text. */
function integerState(value: number): number {
  let state = Math.imul(FNV_OFFSET ^ TAG_NUMBER, FNV_PRIME);
  if (value < 0) state = Math.imul(state ^ MINUS, FNV_PRIME);
  let rest = Math.abs(value);
  let unit = 1;
  while (rest >= unit * 10) unit *= 10;
  for (; unit >= 1; unit /= 10) {
    const digit = Math.floor(rest / unit);
    rest -= digit * unit;
    state = Math.imul(state ^ (ZERO + digit), FNV_PRIME);
  }
  return Math.imul(state ^ SEMICOLON, FNV_PRIME);
}

function mixed(state: number): number {
  let hash = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

import { inspect, types } from 'node:util';
import { elementPromise, isPlainObject, type KafkaWriteSettings } from '@millrace/api/internal';
import { MillraceError, messageOf } from '@millrace/common';
import type { ProduceRecord } from '@millrace/kafka';
import { KafkaRow } from '../pipeline/kafka-row.ts';

type Bytes = string | Uint8Array | null;
type Headers = NonNullable<ProduceRecord['headers']>;

/** Turns a key or value into text or bytes. */
export type Encode = (value: unknown) => Bytes;

const NO_HEADERS: Headers = [];

/** A key without a lambda: what the row has. */
export function keyOfRow(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return null;
  if (Array.isArray(row)) return row.length === 2 ? (row[0] as unknown) : null;
  return (row as { readonly key?: unknown }).key;
}

/** A value without a lambda. */
export function valueOfRow(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) {
    if (row !== null && row !== undefined) return row;
  } else if (Array.isArray(row)) {
    if (row.length === 2) return row[1] as unknown;
  } else if (types.isUint8Array(row)) return row;
  else if ('value' in row) return row.value;
  throw unfit(
    `a row is ${shown(row)}, not { key, value }, [key, value] or a value`,
    'Give { value: (row) => … }.',
  );
}

/** Key and value of a Kafka record as they were read; undefined: not a record. */
export function rawPart(row: unknown, part: 'key' | 'value'): Buffer | null | undefined {
  return row instanceof KafkaRow ? KafkaRow.raw(row, part) : undefined;
}

/** @throws MillraceError INTERNAL when a custom one has no function. */
export function encoderOf(
  name: KafkaWriteSettings['keyCodec'],
  what: 'key' | 'value',
  custom: Function | undefined,
): Encode {
  switch (name) {
    case 'auto':
      return (value) => (typeof value === 'string' ? value : automatic(value, what));
    case 'utf8':
      return (value) => (typeof value === 'string' ? value : onlyNull(value, what, 'a text'));
    case 'bytes':
      return (value) => (types.isUint8Array(value) ? value : onlyNull(value, what, 'bytes'));
    case 'json':
      return (value) => (value === null ? null : json(value, what));
    case 'custom':
      return (value) => (value === null ? null : encoded(custom, value, what));
  }
}

function automatic(value: unknown, what: string): Bytes {
  if (value === null || types.isUint8Array(value)) return value;
  // No key is a common thing; no value is a mistake.
  if (value === undefined && what === 'key') return null;
  const isJson =
    typeof value === 'object' ? Array.isArray(value) || isPlainObject(value) : typeof value !== 'undefined';
  if (isJson) return json(value, what);
  return onlyNull(value, what, 'text, bytes, a number, a boolean, an array or a plain object');
}

function onlyNull(value: unknown, what: string, wanted: string): null {
  if (value === null || (value === undefined && what === 'key')) return null;
  if (types.isPromise(value)) throw promised(value, what);
  throw unfit(
    `the ${what} is ${shown(value)}, not ${wanted}`,
    `Give ${what}Codec, or make the ${what} ${wanted}.`,
  );
}

function json(value: unknown, what: string): string | null {
  if (value === undefined && what === 'key') return null;
  if (types.isPromise(value)) throw promised(value, what);
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) return text;
  } catch (error) {
    throw unfit(`the ${what} is no JSON: ${messageOf(error)}`, `Give ${what}Codec, or map the row first.`);
  }
  throw unfit(`the ${what} is ${shown(value)}, which is no JSON`, `Give ${what}Codec, or map the row first.`);
}

function encoded(custom: Function | undefined, value: unknown, what: string): Bytes {
  if (value === undefined && what === 'key') return null;
  const made: unknown = custom?.(value);
  if (typeof made === 'string' || made === null || types.isUint8Array(made)) return made;
  if (types.isPromise(made)) throw promised(made, `${what}Codec`);
  throw unfit(`the ${what}Codec made ${shown(made)} of the ${what}`, 'Let encode() return bytes.');
}

export function headersOf(given: unknown): Headers {
  if (given === undefined || given === null) return NO_HEADERS;
  if (types.isPromise(given)) throw promised(given, 'headers');
  const list: unknown = Array.isArray(given) ? given : typeof given === 'object' && Object.entries(given);
  const isHeader = (header: unknown): boolean =>
    Array.isArray(header) &&
    typeof header[0] === 'string' &&
    (header[1] === null || typeof header[1] === 'string' || types.isUint8Array(header[1]));
  if (Array.isArray(list) && list.every(isHeader)) return list as Headers;
  throw unfit('the headers are neither { name: value } nor [[name, value], …] of text or bytes', '');
}

export function timestampOf(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined;
  const ms: unknown = types.isDate(given) ? given.getTime() : given;
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) return ms;
  if (types.isPromise(given)) throw promised(given, 'timestamp');
  throw unfit(
    `the timestamp is ${shown(given)}, not milliseconds since 1970`,
    'Give a whole number, or a Date.',
  );
}

export function partitionOf(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  if (types.isPromise(given)) throw promised(given, 'partition');
  throw unfit(
    `the partition is ${shown(given)}, not the number of one`,
    'Give undefined for the partition of the key.',
  );
}

export function topicOf(given: unknown): string {
  if (typeof given === 'string' && given !== '') return given;
  if (types.isPromise(given)) throw promised(given, 'topic');
  throw unfit(`the topic is ${shown(given)}, not a name`, '');
}

export function unfit(what: string, remedy: string): MillraceError {
  return new MillraceError('VALUE_ENCODE', what, { remedy });
}

/** The place is added by who knows it. */
function promised(promise: Promise<unknown>, what: string): MillraceError {
  // It is reported here: its own failure must not end the process.
  promise.catch(() => undefined);
  return elementPromise(`toKafka: ${what}`, 'the sink');
}

function shown(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return inspect(value);
  return Array.isArray(value)
    ? `an array of ${value.length}`
    : `an instance of ${value.constructor?.name ?? '?'}`;
}

import { inspect, types } from 'node:util';
import type { StoredOperator, StoredState } from '@millrace/driver';
import { grouped, shortBytes } from './quantity.ts';
import { type Column, textTable } from './text-table.ts';

/** The state of a key, where it is, and the batch that touched it last. */
export interface FoundState {
  readonly key: unknown;
  readonly value: unknown;
  readonly at: number;
  readonly partition: number;
}

const numeric = (head: string): Column => ({ head, numeric: true });

/** `millrace state ls`: the operators, or the partitions of one. */
export function stateText(state: StoredState, operator: StoredOperator | undefined): string {
  const { where, lastCommitted, operators } = state;
  const heading =
    lastCommitted === undefined ? `${where} · no batch yet` : `${where} · up to ${iso(lastCommitted)}`;
  if (operators.length === 0) return `${heading}\nno operator keeps state\n`;
  const lines = operator ? partitionLines(operator) : operatorLines(operators);
  return `${[heading, ...lines].join('\n')}\n`;
}

function operatorLines(operators: readonly StoredOperator[]): readonly string[] {
  return textTable(
    [
      { head: 'OPERATOR' },
      { head: 'KIND' },
      ...['PARTITIONS', 'KEYS', 'BYTES', 'VERSION'].map(numeric),
      { head: 'LAST BATCH' },
    ],
    operators.map((operator) => {
      const { name, kind, partitions, valueVersion, batchTime } = operator;
      const { keys, bytes } = totalsOf(operator);
      return [
        // A name may be anything.
        JSON.stringify(name).slice(1, -1),
        kind,
        String(partitions),
        grouped(keys),
        shortBytes(bytes),
        String(valueVersion),
        iso(batchTime),
      ];
    }),
  );
}

function partitionLines({ held }: StoredOperator): readonly string[] {
  return textTable(
    [...['PARTITION', 'KEYS', 'BYTES', 'SECTIONS'].map(numeric), { head: 'VERSION' }],
    held.map(({ partition, keys, bytes, sections, version }) => [
      String(partition),
      grouped(keys),
      shortBytes(bytes),
      String(sections.length),
      version,
    ]),
  );
}

/** The stable JSON form. */
export function stateJson(
  { where, lastCommitted, operators }: StoredState,
  only: StoredOperator | undefined,
): Readonly<Record<string, unknown>> {
  return {
    where,
    lastCommitted: lastCommitted ?? null,
    operators: (only ? [only] : operators).map((operator) => {
      const { name, kind, partitions, valueVersion, batchTime, held } = operator;
      return {
        name,
        kind,
        partitions,
        ...totalsOf(operator),
        valueVersion,
        batchTime,
        held: held.map(({ sections, ...partition }) => ({ ...partition, sections: sections.length })),
      };
    }),
  };
}

function totalsOf({ held }: StoredOperator): { readonly keys: number; readonly bytes: number } {
  return held.reduce((sum, { keys, bytes }) => ({ keys: sum.keys + keys, bytes: sum.bytes + bytes }), {
    keys: 0,
    bytes: 0,
  });
}

/** `millrace state get`: as Node shows values; control characters of strings are escaped. */
export function valueText({ value, at, partition }: FoundState, verbose: boolean): string {
  const text = inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: 100 });
  return verbose ? `${text}\npartition ${partition} · touched last at ${iso(at)}\n` : `${text}\n`;
}

/** The stable JSON form. What JSON lacks: bigints as texts, bytes in base64, Maps and Sets as arrays, undefined and NaN as null. */
export function valueJson(
  operator: string,
  { key, value, at, partition }: FoundState,
): Readonly<Record<string, unknown>> {
  return { operator, partition, batchTime: at, key: plain(key), value: plain(value) };
}

function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || types.isDate(value)) return value;
  if (types.isUint8Array(value)) return Buffer.from(value).toString('base64');
  if (types.isMap(value)) return Array.from(value, ([key, of]) => [plain(key), plain(of)]);
  if (types.isSet(value) || Array.isArray(value)) return Array.from(value, plain);
  if (types.isTypedArray(value)) return Array.from<unknown, unknown>(value, plain);
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

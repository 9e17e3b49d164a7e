import { types } from 'node:util';
import { MillraceError } from '@millrace/common';
import type { SqlClient } from './sql-client.ts';

export interface UpsertOptions {
  /** Columns of a unique index or primary key. */
  readonly key: string | readonly string[];
  /** Of a row that is there already: column → SQL expression, with the table's name for the old row and `excluded` for the new one. Default: every other column is replaced. */
  readonly update?: Readonly<Record<string, string>>;
  /** Rows of one statement; default: 1,000. */
  readonly chunkRows?: number;
}

type Row = Readonly<Record<string, unknown>>;

const CHUNK_ROWS = 1_000;

/**
 * Inserts rows, or updates those whose key is there, a thousand in a statement (`chunkRows`). `table` and columns are names as PostgreSQL has them, "schema.table" too.
 * All rows have the columns of the first one. Of rows with the same key each is applied, in order. Resolves to the number of rows.
 * @throws MillraceError VALUE_ENCODE; what PostgreSQL answers.
 */
export async function upsert(
  client: SqlClient,
  table: string,
  rows: Iterable<object> | AsyncIterable<object>,
  options: UpsertOptions,
): Promise<number> {
  const { chunkRows = CHUNK_ROWS } = options;
  const key = typeof options.key === 'string' ? [options.key] : options.key;
  let statement: { readonly columns: readonly string[]; readonly text: string } | undefined;
  // A statement may not touch a row twice.
  let chunk = new Map<string, Row>();
  let count = 0;
  const flush = async (): Promise<void> => {
    if (chunk.size === 0 || statement === undefined) return;
    const json = JSON.stringify([...chunk.values()], asText);
    chunk = new Map();
    await client.query(statement.text, [json]);
  };
  for await (const given of rows) {
    const row = given as Row;
    statement ??= statementOf(table, Object.keys(row), key, options.update);
    checkColumns(row, statement.columns);
    const id = JSON.stringify(
      key.map((column) => row[column]),
      asText,
    );
    if (chunk.size >= chunkRows || chunk.has(id)) await flush();
    chunk.set(id, row);
    count += 1;
  }
  await flush();
  return count;
}

/** PostgreSQL reads the rows from one JSON text by the types of the table's columns. */
function statementOf(
  table: string,
  columns: readonly string[],
  key: readonly string[],
  update: UpsertOptions['update'],
): { readonly columns: readonly string[]; readonly text: string } {
  const missing = key.find((column) => !columns.includes(column));
  if (missing !== undefined || key.length === 0)
    throw unfit(`a row has no column "${missing ?? ''}", which is part of the key`);
  const name = table.split('.').map(quoted).join('.');
  const list = columns.map(quoted).join(', ');
  const changes = update
    ? Object.entries(update).map(([column, expression]) => `${quoted(column)} = ${expression}`)
    : columns
        .filter((column) => !key.includes(column))
        .map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
  const action = changes.length === 0 ? 'NOTHING' : `UPDATE SET ${changes.join(', ')}`;
  return {
    columns,
    text: `INSERT INTO ${name} (${list}) SELECT ${list} FROM json_populate_recordset(NULL::${name}, $1::json) ON CONFLICT (${key.map(quoted).join(', ')}) DO ${action}`,
  };
}

function checkColumns(row: Row, columns: readonly string[]): void {
  const names = Object.keys(row);
  if (names.length === columns.length && names.every((name) => columns.includes(name))) return;
  throw unfit(`a row has the columns ${names.join(', ')}, and the first one ${columns.join(', ')}`);
}

/** What JSON has no form for, as PostgreSQL reads it. */
function asText(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  // Buffers and Dates have a toJSON(), which has been called.
  const given: unknown = Reflect.get(this as object, name);
  return types.isUint8Array(given) ? `\\x${Buffer.from(given).toString('hex')}` : value;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function unfit(what: string): MillraceError {
  return new MillraceError('VALUE_ENCODE', `upsert(): ${what}`, {
    remedy: 'Map rows to objects that all have the same columns.',
    retryable: false,
  });
}

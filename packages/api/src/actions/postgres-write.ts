import { deserialize } from 'node:v8';
import type { PartitionActionCall } from '../lineage/action-definition.ts';
import type { SqlPool } from '../postgres/sql-client.ts';
import { type PostgresSettings, writeOnce } from '../postgres/write-once.ts';
import type { Rows } from '../rows.ts';

/** What a task of toPostgres does. @throws as writeOnce. */
export async function writePartition(
  rows: Rows<unknown>,
  { functions: [pool, write], value, task }: PartitionActionCall,
): Promise<void> {
  const settings = deserialize(value as Uint8Array) as PostgresSettings;
  const made = (await pool?.()) as SqlPool;
  await writeOnce(made, settings, task, (client) => write?.(rows, client));
}

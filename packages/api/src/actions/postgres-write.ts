import { deserialize } from 'node:v8';
import type { PartitionActionCall } from '../lineage/action-definition.ts';
import type { SqlPool } from '../postgres/sql-client.ts';
import { claimOutput, type PostgresClaim, type PostgresSettings, writeOnce } from '../postgres/write-once.ts';
import type { Rows } from '../rows.ts';

/** What a task of toPostgres does. @throws as writeOnce. */
export async function writePartition(
  rows: Rows<unknown>,
  { functions: [pool, write], value, task }: PartitionActionCall,
): Promise<void> {
  const settings = deserialize(value as Uint8Array) as PostgresSettings;
  const made = (await pool?.()) as SqlPool;
  let hasBegun = false;
  await writeOnce(made, settings, task, (client) => {
    hasBegun = true;
    return write?.(rows, client);
  });
  if (hasBegun) return;
  // The attempt that wrote them may have died before its dead letters were: they are told by reading on.
  for await (const _ of rows.chunks());
}

/** What the one task of a claim does. @throws as claimOutput. */
export async function claimPostgres(
  _: Rows<unknown>,
  { functions: [pool], value, task }: PartitionActionCall,
): Promise<void> {
  const settings = deserialize(value as Uint8Array) as PostgresClaim;
  await claimOutput((await pool?.()) as SqlPool, settings, task);
}

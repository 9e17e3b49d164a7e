import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerEntry } from './ledger-checker.ts';

/**
 * What test/jobs/ledger-job.ts wrote: one file a batch time, written whole (temp + rename), so that a batch that is run again
 * replaces what it wrote before. In batch order.
 */
export function readLedgerDirectory(directory: string): readonly (readonly LedgerEntry[])[] {
  return readdirSync(directory)
    .filter((name) => /^\d+\.json$/.test(name))
    .toSorted((a, b) => Number(a.slice(0, -5)) - Number(b.slice(0, -5)))
    .map((name) => {
      const rows = JSON.parse(readFileSync(join(directory, name), 'utf8')) as [number, number][];
      return rows.map(([partition, sequence]) => ({ partition, sequence }));
    });
}

/** How many records it holds; 0 before there is one. */
export function ledgerSize(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readLedgerDirectory(directory).reduce((sum, batch) => sum + batch.length, 0);
}

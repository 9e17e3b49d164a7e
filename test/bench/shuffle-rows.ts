/** A chunk of the rows that the shuffle benchmark moves. */
export const CHUNK_ROWS = 10_000;
/** Characters of a key and a number. */
export const ROW_BYTES = 16 + 8;
const KEYS = 100_000;

export function shuffleKeys(): readonly string[] {
  return Array.from({ length: KEYS }, (_, n) => `customer-${String(n).padStart(7, '0')}`);
}

/** Rows [key, number]; neighbours have different keys. */
export function shuffleChunk(keys: readonly string[], chunk: number): [string, number][] {
  const rows: [string, number][] = [];
  for (let at = chunk * CHUNK_ROWS; at < (chunk + 1) * CHUNK_ROWS; at++)
    rows.push([keys[(at * 7919) % keys.length] as string, at % 1000]);
  return rows;
}

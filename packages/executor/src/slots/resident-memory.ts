import { readFileSync } from 'node:fs';

// Linux reports pages; every platform that Node 24 supports there has 4 KiB ones, except some arm64 kernels (checked below).
const PAGE_BYTES = pageBytes();

/** Resident bytes of a process; undefined where it cannot be told (no /proc, or the process is gone). */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1];
    return pages === undefined ? undefined : Number(pages) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}

/** The page size follows from our own size in pages and in bytes; it is a power of two of at least 4096. */
function pageBytes(): number {
  try {
    const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]);
    const exact = process.memoryUsage.rss() / pages;
    return Math.max(4096, 2 ** Math.round(Math.log2(exact)));
  } catch {
    return 4096;
  }
}

/**
 * How much a persisted dataset is worth keeping. Under every level its rows are files of the executors, whose memory is the page cache of the
 * operating system (ADR 7). MEMORY_ONLY: an executor may give them up for others (`cacheBytesMax`); then they are computed again.
 */
export const StorageLevel = {
  MEMORY_ONLY: 'MEMORY_ONLY',
  MEMORY_AND_DISK: 'MEMORY_AND_DISK',
  DISK_ONLY: 'DISK_ONLY',
} as const;

export type StorageLevel = keyof typeof StorageLevel;

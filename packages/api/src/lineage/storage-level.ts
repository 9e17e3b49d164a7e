import { MillraceError } from '@millrace/common';
import { callerPlace } from '../place.ts';

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

/**
 * Of persist(): the level that was given, or the default. A level of another engine's, which is undefined here, is no default.
 * @throws MillraceError JOB_INVALID.
 */
export function givenLevel(given: readonly [level?: StorageLevel]): StorageLevel {
  if (given.length === 0) return StorageLevel.MEMORY_AND_DISK;
  const [level] = given;
  if (level !== undefined && Object.hasOwn(StorageLevel, level)) return level;
  throw new MillraceError('JOB_INVALID', `persist(${level}): no storage level`, {
    remedy: `Give one of ${Object.keys(StorageLevel).join(', ')}, or none.`,
    details: { place: callerPlace() },
  });
}

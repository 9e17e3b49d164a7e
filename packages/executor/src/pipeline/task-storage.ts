import { join } from 'node:path';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';

/** Where a task may write, and how much. */
export interface TaskStorage {
  /** The file that a map task leaves. @throws MillraceError BAD_REQUEST for a name that leads elsewhere. */
  readonly mapOutputPath: (name: MapOutputName) => string;
  /** Of this task's own, for spills: made when it is needed, removed by who made it. */
  readonly spillDirectory: string;
  /** Bytes of rows that one operator, or one shuffle write, holds in memory. */
  readonly memoryBytesMax: number;
  /** Bytes that one file may take. */
  readonly fileBytesMax: number;
  /** A map output up to this size travels in the task's result. Absent: none does. */
  readonly inlineBytesMax?: number;
}

/** Of a task that may not write. */
export const IN_MEMORY: TaskStorage = {
  mapOutputPath: () => '',
  spillDirectory: '',
  memoryBytesMax: Number.POSITIVE_INFINITY,
  fileBytesMax: 0,
};

/** Several operators of a task may have spilled at the same time: each has a directory of its own. */
let spills = 0;

/** A directory below that of the task, for one operator: made when it is needed, removed by who made it. */
export function spillDirectoryOf({ spillDirectory }: TaskStorage): string {
  return join(spillDirectory, String(spills++));
}

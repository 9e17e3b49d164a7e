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
}

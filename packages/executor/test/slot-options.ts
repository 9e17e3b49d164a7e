import { silentLogger, systemClock } from '@millrace/common';
import type { ProcessSlotOptions } from '../src/slots/process-slot.ts';
import type { ShuffleSpace } from '../src/slots/slot-environment.ts';

export const NO_SPACE: ShuffleSpace = {
  directory: '/none/shuffle',
  spillDirectory: '/none/spill',
  memoryBytesMax: 1,
  fileBytesMax: 1,
  inlineBytesMax: 0,
};

/** Of a slot whose tasks ask for nothing. */
export function slotOptions(main: URL): ProcessSlotOptions {
  const refused = (): Promise<never> => Promise.reject(new Error('not used here'));
  return {
    index: 0,
    executorId: 'e-1',
    main,
    memoryBytesMax: 512 * 1024 * 1024,
    startTimeoutMs: 30_000,
    blob: refused,
    locate: refused,
    fetchState: refused,
    shuffleSpace: NO_SPACE,
    clock: systemClock,
    log: silentLogger,
  };
}

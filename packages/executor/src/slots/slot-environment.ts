import { join } from 'node:path';
import { CRASH_POINT_VARIABLE } from '@millrace/common';
import type { TaskStorage } from '../pipeline/task-storage.ts';
import { mapOutputPath } from '../shuffle/shuffle-store.ts';

const MEBIBYTE = 1024 * 1024;

/** Where the slots of an executor write what shuffles need, and how much. */
export interface ShuffleSpace {
  /** Files of map tasks. */
  readonly directory: string;
  /** Below it each slot has a directory for what does not fit in memory. */
  readonly spillDirectory: string;
  /** Bytes of rows that one operator, or one shuffle write, holds in memory. */
  readonly memoryBytesMax: number;
  /** Bytes that one file may take. */
  readonly fileBytesMax: number;
  /** A map output up to this size travels in its task's result. */
  readonly inlineBytesMax: number;
}
// Young generation, code and stacks need room beside the old space.
const HEAP_SHARE = 0.75;
// V8 lets the young generation of a busy process grow by steps for minutes, which looks like a leak and brings no speed here (measured with
// `npm run soak` and `npm run bench -- json`): a slot reaches this size soon, and stays there.
const SEMI_SPACE_MIB = 16;

// A debugger's port and the parent's own limits are not for its children.
const NOT_INHERITED =
  /^--(inspect|max[-_]|cpu-prof|heap-prof|heapsnapshot|watch|test|experimental-vm-modules|eval|print)/;

/** Node options of a slot: how modules are found is the parent's affair too (conditions, loaders), how memory is used is not. */
export function slotExecArgv(parent: readonly string[], memoryBytesMax: number): string[] {
  const inherited = parent.filter((option, at) => option.startsWith('-') || parent[at - 1] === '-C');
  const heapMb = Math.max(32, Math.floor((memoryBytesMax * HEAP_SHARE) / MEBIBYTE));
  return [
    ...inherited.filter((option) => !NOT_INHERITED.test(option)),
    `--max-old-space-size=${heapMb}`,
    `--max-semi-space-size=${SEMI_SPACE_MIB}`,
  ];
}

/** The executor's environment without what is Millrace's own (its token among it). */
export function slotEnvironment(
  parent: NodeJS.ProcessEnv,
  executorId: string,
  index: number,
  shuffle: ShuffleSpace,
): NodeJS.ProcessEnv {
  const kept = Object.entries(parent).filter(
    ([name]) => name === CRASH_POINT_VARIABLE || (!name.startsWith('MILLRACE_') && name !== 'NODE_OPTIONS'),
  );
  return {
    ...Object.fromEntries(kept),
    MILLRACE_EXECUTOR_ID: executorId,
    MILLRACE_SLOT: String(index),
    MILLRACE_SHUFFLE: JSON.stringify(shuffle),
  };
}

/** Of one process of a slot: whoever ends it removes it, for a process that is killed cannot. */
export function slotSpillDirectory(directory: string, slot: string | number, pid: number): string {
  return join(directory, `${slot}-${pid}`);
}

/** What a slot's environment says of the space for shuffles; nothing in a process that is no slot of an executor. */
export function taskStorage(environment: NodeJS.ProcessEnv): { readonly storage?: TaskStorage } {
  const text = environment['MILLRACE_SHUFFLE'];
  if (text === undefined) return {};
  const { directory, spillDirectory, memoryBytesMax, fileBytesMax, inlineBytesMax } = JSON.parse(
    text,
  ) as ShuffleSpace;
  return {
    storage: {
      mapOutputPath: (name) => mapOutputPath(directory, name),
      spillDirectory: slotSpillDirectory(spillDirectory, environment['MILLRACE_SLOT'] ?? '', process.pid),
      memoryBytesMax,
      fileBytesMax,
      inlineBytesMax,
    },
  };
}

const MEBIBYTE = 1024 * 1024;
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
): NodeJS.ProcessEnv {
  const kept = Object.entries(parent).filter(
    ([name]) => !name.startsWith('MILLRACE_') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(kept), MILLRACE_EXECUTOR_ID: executorId, MILLRACE_SLOT: String(index) };
}

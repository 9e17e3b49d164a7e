/** One line on standard error about a fault of docs/delivery.md: what a run of the test has measured. `grep '^fault'` finds them all. */
export function figure(fault: number, measured: string): void {
  process.stderr.write(`fault ${fault}: ${measured}\n`);
}

/** "p50 0.4 s, max 1.2 s of 20" */
export function spread(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  return `p50 ${seconds(sorted[sorted.length >> 1])}, max ${seconds(sorted.at(-1))} of ${ms.length}`;
}

export function seconds(ms = 0): string {
  return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s`;
}

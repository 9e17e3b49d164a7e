/** The one JSON object of a benchmark. Keys that do not apply are null. */
export interface BenchResult {
  readonly bench: string;
  readonly records: number | null;
  readonly recordsPerSecond: number | null;
  /** The same reading by two plain processes, in the same run. */
  readonly bareLoopRecordsPerSecond: number | null;
  readonly batchMsP50: number | null;
  readonly batchMsP99: number | null;
  readonly recordAgeMsP50: number | null;
  /** From starting the `submit` command to the first completed batch. */
  readonly firstBatchMs: number | null;
  /** Proportional set size: shared pages are counted once. */
  readonly memoryMb: { readonly driver: number; readonly host: number; readonly executors: number } | null;
  readonly batches: number | null;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

export const NOTHING: Omit<BenchResult, 'bench' | 'settings'> = {
  records: null,
  recordsPerSecond: null,
  bareLoopRecordsPerSecond: null,
  batchMsP50: null,
  batchMsP99: null,
  recordAgeMsP50: null,
  firstBatchMs: null,
  memoryMb: null,
  batches: null,
};

/** The p-th percentile (0–100) by nearest rank. NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

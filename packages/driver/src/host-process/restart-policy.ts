export interface RestartLimits {
  readonly restartsMax: number;
  readonly windowMs: number;
}

/** 5 times in 10 minutes. */
export const RESTART_LIMITS: RestartLimits = { restartsMax: 5, windowMs: 600_000 };

const FIRST_DELAY_MS = 500;

/**
 * How long to wait before a crashed host is started again: at once, then 0.5 s, 1 s, 2 s, 4 s; 'give-up' when there were too many.
 * `restarts`: monotonic times of earlier ones.
 */
export function nextRestart(
  restarts: readonly number[],
  now: number,
  limits: RestartLimits = RESTART_LIMITS,
): number | 'give-up' {
  const recent = restarts.filter((at) => now - at < limits.windowMs).length;
  if (recent >= limits.restartsMax) return 'give-up';
  return recent === 0 ? 0 : FIRST_DELAY_MS * 2 ** (recent - 1);
}

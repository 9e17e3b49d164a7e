import { MillraceError } from './millrace-error.ts';

/** A duration: milliseconds, or a text such as '250ms', '1s', '5m', '2h', '7d'. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `value` milliseconds. */
export const ms = (value: number): number => value;
/** `value` seconds, in milliseconds. */
export const seconds = (value: number): number => value * 1000;
/** `value` minutes, in milliseconds. */
export const minutes = (value: number): number => value * 60_000;

/**
 * Milliseconds of a duration.
 * @throws MillraceError CONFIG_INVALID when it is not a finite number ≥ 0 with a known unit.
 */
export function durationMs(value: number | string): number {
  if (typeof value === 'number') return checked(value, `${value}`);
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
  if (!match) throw invalid(value);
  return checked(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN), value);
}

function checked(value: number, shown: string): number {
  if (!Number.isFinite(value) || value < 0) throw invalid(shown);
  return value;
}

function invalid(shown: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', `"${shown}" is not a duration`, {
    remedy: "Give milliseconds, or a text such as '250ms', '1s', '5m'.",
  });
}

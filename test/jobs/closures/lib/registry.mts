'use executor';

const seen = new Map<string, number>();

export const pid: number = process.pid;
export function note(key: string): number {
  seen.set(key, (seen.get(key) ?? 0) + 1);
  return seen.get(key) ?? 0;
}

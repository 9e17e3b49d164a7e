import { even } from './even.mts';

export function odd(n: number): boolean {
  return n !== 0 && even(n - 1);
}

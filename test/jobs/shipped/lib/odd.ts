// oxlint-disable-next-line import/no-cycle
import { isEven } from './even.ts';

export function isOdd(n: number): boolean {
  return n === 0 ? false : isEven(n - 1);
}

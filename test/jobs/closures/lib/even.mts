// oxlint-disable import/no-cycle -- the cycle is the case
import { odd } from './odd.mts';

export const even = (n: number): boolean => n === 0 || odd(n - 1);

import { odd } from './odd.mts';

export const even = (n: number): boolean => n === 0 || odd(n - 1);

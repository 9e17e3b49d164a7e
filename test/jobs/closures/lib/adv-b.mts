import { fromA, viaB } from './adv-a.mts';
import * as self from './adv-b.mts';
export const fromB = 'B';
export const c = 'a_b.c';
export const callB = (x: number): unknown => (x <= 0 ? [fromA, self.fromB] : viaB(x - 1));
export * as inner from './adv-a.mts';
export { default, default as renamed, fromA as 'a string name' } from './adv-a.mts';

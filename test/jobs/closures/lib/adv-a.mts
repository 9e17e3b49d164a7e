import { callB, fromB } from './adv-b.mts';
export const b_c = 'a.b_c';
export const fromA = 'A';
export const viaB = (x: number): unknown => (x <= 0 ? [fromB] : callB(x - 1));
export default function () {
  return ['default of a', fromA];
}

import { basename } from 'node:path';
import { Color, UNIT } from './constants.mts';
export const makeMapper = (k: number) => (x: number) => x * k * UNIT;
export function compose<A, B, C>(f: (a: A) => B, g: (b: B) => C) {
  return (a: A) => g(f(a));
}
export const colorOf = (x: number) => (x > 2 ? Color.Red : Color.Blue);
export const base = (path: string) => basename(path);
export default function (x: number) {
  return x + 1000;
}
export { inner as renamed };

const inner = (x: number) => x - UNIT;

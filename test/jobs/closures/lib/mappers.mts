import { Color, UNIT } from './constants.mts';

export const makeMapper = (k: number) => (x: number) => x * k * UNIT;
export const colorOf = (x: number): Color => (x > 2 ? Color.Red : Color.Blue);
export default function (x: number): number {
  return x + 1000;
}
const inner = (x: number): number => x - UNIT;

export { inner as sloppy };

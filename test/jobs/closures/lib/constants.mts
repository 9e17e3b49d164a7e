export const UNIT = 10;
export enum Color {
  Red = 'red',
  Blue = 'blue',
}
export enum Level {
  Low = 1,
  High = 7,
}
export let live = 1;
export function setLive(value: number): void {
  live = value;
}
export const config = { limit: 5 };
export namespace Geometry {
  export const PI2 = 6;
  export function area(r: number): number {
    return PI2 * r;
  }
}

declare module 'tiny-stats' {
  export function mean(values: readonly number[]): number;
  export class Spread {
    constructor(values: readonly number[]);
    variance(): number;
  }
}

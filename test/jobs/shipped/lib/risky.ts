export function risky(n: number): number {
  if (n === 7) {
    throw new RangeError(`seven is not welcome`);
  }
  return n;
}

import { describe, expect, it } from '@jest/globals';
import { grouped, shortBytes, shortDuration, shortInterval } from './quantity.ts';

describe('quantities', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1 000'],
    [1_234_567, '1 234 567'],
  ])('%d reads %j', (value, text) => {
    expect(grouped(value)).toBe(text);
  });

  it.each([
    [0, '0ms'],
    [3.14, '3.1ms'],
    [94, '94ms'],
    [95, '0.10s'],
    [311, '0.31s'],
    [9_994, '9.99s'],
    [9_996, '10.0s'],
    [59_960, '1m00s'],
    [187_000, '3m07s'],
    [7_500_000, '2h05m'],
  ])('%d ms take %j', (ms, text) => {
    expect(shortDuration(ms)).toBe(text);
  });

  it.each([
    [999, '999ms'],
    [1000, '1.0s'],
    [60_000, '60.0s'],
  ])('an interval of %d ms reads %j', (ms, text) => {
    expect(shortInterval(ms)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [41_000_000, '41 MB'],
    [999_900_000, '1.0 GB'],
  ])('%d bytes read %j', (bytes, text) => {
    expect(shortBytes(bytes)).toBe(text);
  });
});

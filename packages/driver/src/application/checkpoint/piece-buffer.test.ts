import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { PIECES_BYTES_MAX as MAX, PieceBuffer } from './piece-buffer.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-pieces-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const piece = (length: number, fill = length % 251): Buffer => Buffer.alloc(length, fill);

describe('pieces that wait to be written', () => {
  it.each<[string, readonly number[], ReadonlyArray<readonly number[]>]>([
    ['none', [], []],
    ['empty ones', [0, 0], []],
    ['small ones together', [3, 0, 4], [[3, 4]]],
    ['as much as may be', [MAX - 1, 1], [[MAX - 1, 1]]],
    ['one more byte', [MAX - 1, 2], [[MAX - 1], [2]]],
    ['a large one cut', [5, 2 * MAX + 7, 9], [[5], [MAX], [MAX], [7, 9]]],
    ['one that is a multiple', [2 * MAX, 1], [[MAX], [MAX], [1]]],
  ])('are written: %s', (_, lengths, wanted) => {
    const buffer = new PieceBuffer(join(directory, 'a', 'b'));
    const pieces = lengths.map((length, i) => piece(length, i + 1));
    for (const each of pieces) buffer.append(each);
    expect(buffer.bytes).toBe(Buffer.concat(pieces).length);
    const times = [...buffer.drain()];
    expect(times.map((time) => time.lengths)).toEqual(wanted);
    expect(Buffer.concat(times.map(({ bytes }) => bytes)).equals(Buffer.concat(pieces))).toBe(true);
    expect([...buffer.drain()]).toEqual([]);
  });

  it('may be joined by others while they are written, and given up', () => {
    const buffer = new PieceBuffer(directory);
    buffer.append(piece(MAX + 1));
    const first = buffer.drain();
    expect(first.next().value).toMatchObject({ lengths: [MAX] });
    buffer.append(piece(4));
    expect([...first].map(({ lengths }) => lengths)).toEqual([[1]]);
    expect([...buffer.drain()].map(({ lengths }) => lengths)).toEqual([[4]]);
    buffer.append(piece(2 * MAX));
    buffer.clear();
    expect([...buffer.drain()]).toEqual([]);
  });

  it('leave nothing in their directory, also while they wait', () => {
    const buffer = new PieceBuffer(directory);
    buffer.append(piece(3 * MAX));
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
    buffer.clear();
  });
});

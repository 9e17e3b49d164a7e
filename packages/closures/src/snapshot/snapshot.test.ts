import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import * as fc from 'fast-check';
import { CaptureGraph } from '../capture/capture-graph.ts';
import { writeSnapshot } from '../capture/snapshot-writer.ts';
import { ProgramInstances } from '../revive/program-instances.ts';
import { Reviver } from '../revive/reviver.ts';
import { readSnapshot } from './snapshot-reader.ts';

function write(value: object): Uint8Array {
  return writeSnapshot(new CaptureGraph(value, () => '').root).bytes;
}

function read(bytes: Uint8Array): unknown {
  const context = { broadcast: () => ({ value: 0 }), accumulator: () => ({ add() {} }) };
  const module = { factories: {}, imports: {} };
  return new Reviver(readSnapshot(bytes), module, new Map(), new ProgramInstances(), context).revive(0);
}

describe('snapshots of values', () => {
  it('come back equal, whatever they are', () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(value, (inner) => {
        const bytes = write({ inner });
        expect(read(bytes)).toEqual({ inner });
        expect(write({ inner })).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('keep strings with lone surrogates', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.integer({ min: 0, max: 0xffff })),
        (text, units) => {
          const odd = text + String.fromCharCode(...units);
          expect(read(write({ odd }))).toEqual({ odd });
        },
      ),
    );
  });

  it('are canonical: an integer is an integer however V8 holds it', () => {
    const sum = 0.5 + 0.5;
    expect(write({ n: sum })).toEqual(write({ n: 1 }));
    expect(write({ n: -0 })).not.toEqual(write({ n: 0 }));
  });

  it('belong to this realm', () => {
    const { map, bytes } = read(write({ map: new Map([[1, new Set([2])]]), bytes: new Uint8Array([1]) })) as {
      map: unknown;
      bytes: unknown;
    };
    expect(map instanceof Map).toBe(true);
    expect(bytes instanceof Uint8Array).toBe(true);
  });

  it('are refused with a code when they are damaged', () => {
    const bytes = write({ text: 'abc', list: [1, 2, 3], deep: new Map([['k', { v: 1.5 }]]) });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSnapshot(bytes.subarray(0, length))).toThrow(MillraceError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        try {
          readSnapshot(noise);
        } catch (error) {
          expect(MillraceError.is(error) || String(error)).toBe(true);
        }
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { transformModule } from '../transform/transform-module.ts';
import { loadSourceMaps, mapPlaces, mapStack } from './map-stack.ts';

const CODE = 'const f = () => {\n  throw new Error()\n}\n';

describe('mapStack', () => {
  const { map } = transformModule({ code: CODE, file: 'src/job.ts', isByReference: () => true });
  const files = [
    { path: 'maps/executor/closures.mjs.map', content: new TextEncoder().encode(JSON.stringify(map)) },
  ];

  it('moves frames of the program to the source, and drops the engine', () => {
    const stack = [
      'Error: boom (in executor/closures.mjs:3:9)',
      '    at f (file:///tmp/programs/abc/executor/closures.mjs:3:9)',
      '    at async /tmp/programs/abc/executor/closures.mjs:3:9',
      '    at Reviver.run (file:///app/node_modules/@millrace/executor/dist/slots/run.js:10:3)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
      '    at Pool.query (/srv/node_modules/pg/lib/pool.js:1:1)',
    ].join('\n');
    expect(mapStack(stack, loadSourceMaps(files)).split('\n')).toEqual([
      'Error: boom (in executor/closures.mjs:3:9)',
      '    at f (src/job.ts:2:9)',
      '    at async src/job.ts:2:9',
      '    at Pool.query (/srv/node_modules/pg/lib/pool.js:1:1)',
    ]);
  });

  it('finds the await of an async frame that the bundler moved into another statement', () => {
    // Line 1: `return await load(n)`, made of `const found = await load(n)` (line 1) and `return found` (line 2).
    const moved = {
      version: 3,
      names: [],
      sources: ['src/job.ts'],
      // return → 2:0, load → 1:20
      mappings: 'AACA,aADoB',
    };
    const maps = loadSourceMaps([
      { path: 'maps/executor/closures.mjs.map', content: new TextEncoder().encode(JSON.stringify(moved)) },
    ]);
    const stack =
      'Error: x\n    at async later (/tmp/executor/closures.mjs:1:8)\n    at f (/tmp/executor/closures.mjs:1:8)';
    expect(mapStack(stack, maps).split('\n')).toEqual([
      'Error: x',
      '    at async later (src/job.ts:1:15)',
      '    at f (src/job.ts:2:1)',
    ]);
  });

  it('moves places inside of a text', () => {
    const text = '1. file:///tmp/p/executor/closures.mjs:3:9: wrong\n2. (/p/executor/other.mjs:1:1)';
    expect(mapPlaces(text, loadSourceMaps(files))).toBe(
      '1. src/job.ts:2:9: wrong\n2. (/p/executor/other.mjs:1:1)',
    );
  });

  it('leaves frames without a map as they are', () => {
    const stack = 'Error\n    at f (/p/executor/other.mjs:1:1)';
    expect(mapStack(stack, loadSourceMaps(files))).toBe(stack);
  });
});

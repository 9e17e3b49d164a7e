// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import * as fs from 'node:fs';
import { default as path, posix as px } from 'node:path';
import * as a from './lib/adv-a.mts';
import * as a_b from './lib/adv-b.mts';
import anonymous, { callB, inner, renamed, 'a string name' as stringName } from './lib/adv-b.mts';
import { bang } from './lib/adv-bang.mts';
import { pid as bangPid } from './lib/adv-bang-executor.mts';
import { pid as bomPid } from './lib/adv-bom-executor.mts';
import * as counter from './lib/adv-counter.mts';
import { count } from './lib/adv-counter.mts';
import { closureJob, same, sameOf } from './lib/closure-job.ts';
import data, {} from './lib/table.json' with { type: 'json' };

const here = process.pid;
const { join, ...restOfPath } = path;

export default closureJob('closures-adversary-modules', {
  'namespaces whose names run into each other': same((x) => [a.b_c, a_b.c, x]),
  'an anonymous default function, its name': same((x) => [
    anonymous(),
    anonymous.name,
    renamed === anonymous,
    x,
  ]),
  'export * as, as a value': same((x) => [inner.fromA, Object.keys(inner).length, x]),
  'exports with a string for a name': same((x) => [stringName, x]),
  'mutual recursion across modules': same((x) => [callB(x), a.viaB(x), callB(x * 100)]),
  'live bindings that change between two captures': async ({ rows }) => {
    const read = () => rows.map((x) => [x, counter.count, count]);
    const before = read();
    counter.countUp();
    const after = read();
    return [
      [await before.collect(), await after.collect()],
      [
        [
          [1, 0, 0],
          [2, 0, 0],
          [3, 0, 0],
        ],
        [
          [1, 1, 1],
          [2, 1, 1],
          [3, 1, 1],
        ],
      ],
    ];
  },
  'a hashbang before a directive': same((x) => bang(x)),
  'use executor behind a byte order mark or a hashbang': async ({ rows }) => [
    (await rows.map(() => [bomPid() === here, bangPid() === here]).collect())[0],
    [false, false],
  ],
  'members and rest of a package of Node': same((x) => [
    join('a', `${x}`),
    px.sep,
    restOfPath.basename('/a/b'),
    fs.constants.R_OK,
  ]),
  'data of json by two ways': sameOf(() => {
    const { rows: list } = data as any;
    return [(x) => [list[x - 1], (data as any).rows === list]];
  }),
  'dynamic import of Node': async ({ rows }) => [
    await rows
      .mapAsync(async (x) => {
        const { join: j } = await import('node:path');
        const m = await import(`node:${'os'}`);
        return [j('a', `${x}`), typeof m.cpus];
      })
      .collect(),
    [
      ['a/1', 'function'],
      ['a/2', 'function'],
      ['a/3', 'function'],
    ],
  ],
});

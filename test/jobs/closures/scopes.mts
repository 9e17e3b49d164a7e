// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */

import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { UNIT as BARREL, M, mk } from './lib/barrel.mts';
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';
import * as constants from './lib/constants.mts';
import { Color, Geometry, Level, live, setLive, UNIT } from './lib/constants.mts';
import { even } from './lib/even.mts';
import plus, { colorOf, makeMapper as mapper, sloppy } from './lib/mappers.mts';
import table from './lib/table.json' with { type: 'json' };

const k = 2;
const log: string[] = [];
class Handle {
  constructor(private readonly name: string) {}
  [Symbol.dispose]() {
    log.push(`-${this.name}`);
  }
  async [Symbol.asyncDispose]() {
    log.push(`~${this.name}`);
  }
}
enum Local {
  A = 1,
  B = A << 3,
  C = 'c'.length,
}
const enum Fast {
  Low = 5,
  High = Low * 2,
}
namespace Shapes {
  export const unit = 3;
  export let scaled = 1;
  export function area(r: number) {
    return unit * r * scaled;
  }
  export namespace Deep {
    export const name = 'deep';
  }
}
Shapes.scaled = 10;

function hoisted(x: number) {
  return inner(x);
  function inner(y: number) {
    return y * k + deepest();
  }
  function deepest() {
    return 100;
  }
}
function fromSwitch(x: number): ((y: number) => number) | undefined {
  switch (x) {
    case 0:
      function lateDeclared(y: number) {
        return y + k;
      }
      return (y) => y;
    case 1:
      return lateDeclared;
    case 2: {
      const q = (y: number) => y * k;
      return q;
    }
  }
  return undefined;
}
setLive(42);
(globalThis as any).closureHits = ((globalThis as any).closureHits ?? 0) + 1;

export default closureJob('closures-scopes', {
  shadowing: same((x) => {
    const out: unknown[] = [k];
    {
      const k = x + 5;
      out.push(k, ((k) => k)(6));
    }
    for (const k of [7]) out.push(k);
    try {
      throw 8;
    } catch (k) {
      out.push(k);
    }
    const { hoisted } = { hoisted: 9 };
    out.push(hoisted);
    class fromSwitch {
      static k = k;
    }
    out.push(fromSwitch.k);
    return out;
  }),
  'var and function hoisting': same((x) => {
    const before = typeof v;
    var v = x;
    return [before, v, hoisted(x), typeof f];
    function f() {}
  }),
  loops: sameOf(() => {
    const fs: ((x: number) => unknown)[] = [];
    for (let i = 0; i < 3; i++) fs.push((x) => x + i);
    for (const s of ['a', 'b']) fs.push((x) => s + x);
    for (const key in { p: 1, q: 2 }) fs.push((x) => key + x);
    for (var j = 0; j < 2; j++) fs.push((x) => x * j);
    let w = 0;
    while (w < 2) {
      const mine = w++;
      fs.push((x) => [x, mine, w]);
    }
    return fs;
  }),
  'a loop whose head captures its own variable': sameOf(() => {
    const fs: ((x: number) => unknown)[] = [];
    for (let i = 0, get = () => i; i < 3; i++) fs.push((x) => [x, i, get()]);
    return fs;
  }),
  'labels and switch scopes': same((x) => {
    let out = 0;
    outer: for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        if (j === 2) continue outer;
        if (i === 2) break outer;
        out += i * 3 + j;
      }
    switch (x) {
      case 1:
        let k = 5;
        out += k;
    }
    return [out, k, typeof notDeclaredAnywhere];
  }),
  'declarations of a switch': sameOf(() => [0, 1, 2].map((x) => fromSwitch(x) as (y: number) => number)),
  'variables of a catch': sameOf(() => {
    try {
      throw { k: 9, list: [1, 2] };
    } catch ({ k: thrown, list: [first, second] }: any) {
      const q = 1;
      return [(x) => x + thrown + q + first + second];
    }
  }),
  'destructured captures': sameOf(() => {
    const {
      a,
      b: [, c],
      ...rest
    } = { a: 1, b: [2, 3], d: 4, e: 5 };
    return [(x) => [a, c, rest, x]];
  }),
  'writes to inner variables': same((x) => {
    let n = 0;
    const add = () => {
      n += x;
      [n] = [n + 1];
      ({ n } = { n: n * 2 });
      for (n of [n + 1]);
      n++;
      return n;
    };
    return [add(), add()];
  }),
  'counters made inside': same((x) => {
    const counter = () => {
      let n = x;
      return { up: () => ++n, get: () => n };
    };
    const [a, b] = [counter(), counter()];
    a.up();
    a.up();
    return [a.get(), b.get()];
  }),
  'the same name in two scopes': sameOf(() => {
    const f = (() => {
      const k = 'inner';
      return (x: number) => [k, x];
    })();
    return [f, (x) => [k, ...f(x)]];
  }),
  using: same((x) => {
    log.length = 0;
    {
      using a = new Handle('a');
      using b = new Handle(`b${x}`);
      log.push(typeof a, typeof b);
    }
    return log.join();
  }),
  'enums of this file and of others': same((x) => [
    Local.B * x,
    Local[1],
    Local.C,
    Fast.High,
    Color.Red,
    Level.High,
    Level[7],
    colorOf(x),
  ]),
  namespaces: same((x) => [Shapes.area(x), Shapes.Deep.name, Geometry.area(x), Geometry.PI2]),
  'live bindings': same((x) => [live + x, constants.live]),
  'namespace imports': same((x) => [constants.UNIT * x, constants.config.limit, constants.Color.Blue]),
  'namespaces as values': (() => {
    const all: any = M;
    return same((x) => [Object.keys(all).toSorted(), all.default(x), all.colorOf(x)]);
  })(),
  'renamed, default and barrel imports': same((x) => [mapper(3)(x), plus(x), mk(2)(x), BARREL, UNIT]),
  'a mapper of another module': sameOf(() => [mapper(3), plus, sloppy]),
  'modules that import each other': same((x) => even(x)),
  json: same((x) => [table.rows[x - 1], table['with-dash']]),
  'packages of Node': same((x) => [
    createHash('md5').update(`${x}`).digest('hex').slice(0, 4),
    path.join('a', `${x}`),
    path.posix.basename('/a/b'),
  ]),
  'an import as a value': sameOf(() => {
    const { basename } = path;
    return [(x) => basename(`/a/${x}`), (x) => path.basename.name + x];
  }),
  'the top level is not run again': gives(() => (globalThis as any).closureHits ?? 'never', 'never'),
  'what is captured at the call': async ({ rows }) => {
    let t = 1;
    const before = rows.map((x) => x * t);
    t = 5;
    const after = rows.map((x) => x * t);
    t = 9;
    return [
      [await before.collect(), await after.collect()],
      [
        [1, 2, 3],
        [5, 10, 15],
      ],
    ];
  },
  'async, generators and async generators where they are allowed': async ({ rows }) => {
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const shipped = [
      await rows.mapAsync(async (x) => (await wait(1), x * k)).collect(),
      await rows
        .flatMap(function* (n) {
          for (let i = 0; i < n; i++) yield i * k;
        })
        .collect(),
      await rows
        .mapPartitions(async function* (all) {
          for (const x of await all.toArray()) {
            await wait(1);
            yield x + k;
          }
        })
        .collect(),
      await rows.mapAsync(async (x) => (await import('node:path')).join('d', `${x}`)).collect(),
      await rows
        .mapAsync(
          async (x) => {
            log.length = 0;
            {
              await using a = new Handle(`a${x}`);
              log.push(typeof a);
            }
            return log.join();
          },
          { concurrency: 1 },
        )
        .collect(),
    ];
    const here = [
      [2, 4, 6],
      [0, 0, 2, 0, 2, 4],
      [3, 4, 5],
      ['d/1', 'd/2', 'd/3'],
      ['object,~a1', 'object,~a2', 'object,~a3'],
    ];
    return [shipped, here];
  },
  'lambdas of other operators': async ({ rows }) => {
    const top =
      <T,>(by: (t: T) => number) =>
      (a: T, b: T) =>
        by(a) >= by(b) ? a : b;
    const keyed = rows.keyBy((x) => x % k).mapValues((x) => x * 10);
    return [
      [
        await keyed.collect(),
        await rows.map((v) => ({ v })).reduce(top((t) => t.v)),
        await rows.fold(0, Math.max),
      ],
      [
        [
          [1, 10],
          [0, 20],
          [1, 30],
        ],
        { v: 3 },
        3,
      ],
    ];
  },
});

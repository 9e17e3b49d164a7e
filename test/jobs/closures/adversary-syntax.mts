// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */

import * as $n1_a_b from './lib/adv-a.mts';
import def, * as rest from './lib/adv-b.mts';
import { closureJob, same, sameOf } from './lib/closure-job.ts';

const k = 2,
  $t = 3,
  $0 = 4,
  F = 5,
  I = 6,
  make = 7,
  tie = 8,
  factories = 9,
  imports = 10,
  $isThere = 11;
const key = 'dyn';
const symbolKey = Symbol.for('adversary.key');
const async = (x: number) => ['async', x];
const of = [1, 2];
const get = 1,
  set = 2,
  from = 3,
  as = 4,
  type = 5,
  satisfies = 6,
  accessor = 7,
  using = 8,
  declare = 9,
  namespace = 10,
  module = 11,
  abstract = 12;
class Keys {
  static [key + '1'] = 1;
  [key](x: number) {
    return [this.constructor === Keys, x];
  }
  get [`${key}2`]() {
    return 2;
  }
  set [`${key}2`](_v) {}
  static get [Symbol.species]() {
    return Keys;
  }
  *[symbolKey]() {
    yield k;
  }
  async [key + '3']() {
    return 3;
  }
  static async *['gen' + k]() {
    yield k;
  }
  'use strict' = 1;
  static #p = class {
    static q = k;
    static r = () => Keys.#p.q;
  };
  static readP() {
    return Keys.#p.q;
  }
  static of = 1;
  static get = 2;
  static async = 3;
  static static = 4;
  get;
  set;
  async;
  static;
  constructor2() {}
}
const objects = {
  async,
  of,
  get,
  set,
  async a(x: number) {
    return [x, k];
  },
  *g(x: number) {
    yield x;
  },
  async *ag(x: number) {
    yield x;
  },
  get get() {
    return 'get';
  },
  set set2(_: unknown) {},
  async: async,
  await: 1,
  yield: 2,
  new: 3,
  class: 4,
  delete() {
    return k;
  },
  new2: function () {
    return new.target;
  },
  function() {
    return 'f';
  },
  [key]: (x: number) => x,
  [`${key}m`](x: number) {
    return x;
  },
  [symbolKey]: k,
  ...{ spread: (x: number) => [x, k] },
  'a-b'(x: number) {
    return x;
  },
  0.5(x: number) {
    return x / 2;
  },
  0x10() {
    return 16;
  },
  [Symbol.iterator]: function* () {
    yield 1;
  },
};
const arrows = [
  (x: number) => ({}),
  (x: number) => ({ x, k }),
  (x: number) => (x, k),
  (x: number) => [x, , k].length,
  (x: number) => (x ? k : -k),
  (x: number): unknown => {
    return;
    k;
  },
  (x: number) => {
    if (x) return k;
    else for (;;) break;
  },
  (x: number) =>
    (
      (y) => (z) =>
        x + k + y + z
    )(1)(2),
  (x: number) => void 0 ?? ((x && k) || 0),
  (x: number) =>
    !(function () {
      return false;
    })() &&
    !(() => false)() &&
    x,
  (x: number) =>
    new (class {
      v = x;
    })().v,
  (x: number) =>
    new (class {
      v = k;
    })().v,
  (x: number) => (typeof x === 'number' ? /[}]/.test('}') : `${x}`),
  (x: number) => x ** (k ** 1),
  (x: number) => (({ length }) => length)('abc'),
  (x: number) => [...[...'ab']].map((c, i, { length }) => c + i + length + x),
  (x: number) => {
    do {
      x--;
    } while (x > 0);
    return x;
  },
  (x: number) => {
    var x2 = x;
    {
      let x = 5;
      x2 += x;
    }
    return x2;
  },
  ({ length = k }: any) => length,
  (...[x, y = x]: number[]) => [x, y],
  function (x: number) {
    return [typeof this, x, arguments.length >= 1];
  } as (x: number) => unknown,
  function* (x: number) {
    yield x;
  } as unknown as (x: number) => unknown,
  (x: number) => {
    label: {
      if (x) break label;
      return 'no';
    }
    return 'yes';
  },
  (x: number) => {
    switch (x) {
      case 1: {
        let y = 1;
        return y;
      }
      case 2:
        function f() {
          return k;
        }
        return f();
      default:
        return f();
    }
  },
  (x: number) => eval === globalThis.eval && x,
  (x: number) => {
    try {
      return x;
    } finally {
      x = 9;
    }
  },
  (x: number) =>
    ((a, b = () => a, c = b()) => {
      a = 10;
      return [a, b(), c];
    })(x),
  (x: number) => {
    let { [key]: v = x, ...o } = { other: 1 } as any;
    return [v, o];
  },
  (x: number) => {
    const o = {
      x,
      get y() {
        return this.x + k;
      },
      set y(v) {
        this.x = v;
      },
    };
    o.y = 5;
    return o.y;
  },
  (x: number) => delete ({ x } as any).x,
  (x: number) => `a${`b${`c${x}`}`}`,
  (x: number) => x.toString().padStart(3, '0'),
  // trailing comment
  (x: number) => /* before */ x /* after */,
  (x: number) => x as unknown as string satisfies unknown,
  <T,>(x: T) => x as T,
  (x: number) => x!,
  (x: number) => (x as any)?.toFixed?.(k) ?? (x as any)?.['missing']?.(),
  (x: number) => {
    'use strict';
    'other';
    return x;
  },
  (x: number) => {
    function x2() {
      return x2.v;
    }
    x2.v = x;
    return x2();
  },
  (x: number) => {
    const x2 = function self(n: number): number {
      return n ? self(n - 1) : 0;
    };
    return x2(x);
  },
  (x: number) => {
    class A {
      static a = A.name;
      static b = () => A;
    }
    return [A.a, A.b() === A, x];
  },
  (x: number) => {
    using _ = { [Symbol.dispose]() {} };
    return x;
  },
  (x: number) => 1_000n ** BigInt(x),
  (x: number) =>
    'a\u{1F600}\
b'.length + x,
];

export default closureJob('closures-adversary-syntax', {
  'names that could be ours': same((x) => [
    $t,
    $0,
    F,
    I,
    make,
    tie,
    factories,
    imports,
    $isThere,
    $n1_a_b.b_c,
    def().length,
    rest.c,
    x,
  ]),
  'contextual keywords as names': same((x) => [
    async(x),
    of,
    get,
    set,
    from,
    as,
    type,
    satisfies,
    accessor,
    using,
    declare,
    namespace,
    module,
    abstract,
  ]),
  'keys of a class': same((x) => {
    const o: any = new Keys();
    return [
      o.dyn(x),
      o.dyn2,
      (Keys as any).dyn1,
      [...o[symbolKey]()],
      Keys.readP(),
      Keys.of,
      Keys.get,
      Keys.async,
      Keys.static,
      Object.keys(o),
      typeof (Keys as any).gen2,
    ];
  }),
  'members of an object': same((x) => {
    const o: any = objects;
    return [
      o.async(x),
      o.get,
      o.delete(),
      o.function(),
      o.dyn(x),
      o.dynm(x),
      o.spread(x),
      o['a-b'](x),
      o[0.5](x),
      o[16](),
      [...o],
      [...o.g(x)],
      Object.keys(o),
      o[symbolKey],
    ];
  }),
  'arrows of every form': async (context) => {
    const out: (readonly [unknown, unknown])[] = [];
    for (const f of arrows)
      out.push(
        await same(((x: number) => {
          const y: any = (f as any)(x);
          return typeof y === 'object' && y !== null && 'next' in y
            ? [...y]
            : typeof y === 'bigint'
              ? `${y}n`
              : y;
        }) as any)(context),
      );
    return [out.map(([a]) => a), out.map(([, b]) => b)];
  },
  'the same forms, captured at once': same((x) =>
    arrows.map((f) => {
      const y = (f as any)(x);
      return typeof y === 'object' && y !== null && 'next' in y ? [...(y as any)] : y;
    }),
  ),
  'sizes: a lambda of two thousand lines and one of a thousand captures': sameOf(() => [big, (x) => wide(x)]),
});

const big = (x: number) => {
  let n = x;
  n += 1;
  n += k;
  n += 1;
  n += k;
  n += 1;
  n += k;
  n += 1;
  n += k;
  n += 1;
  n += k;
  n += 1;
  n += k;
  return n;
};
const [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = Array.from({ length: 10 }, (_, i) => i);
const wide = (x: number) => [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, x];

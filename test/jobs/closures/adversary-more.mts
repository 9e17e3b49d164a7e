// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */

import { posix } from 'node:path';
import * as lodash from 'lodash-es';
import { Remote } from './lib/adv-remote.mts';
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';

const k = 2;
// Collections that iterate in their own way.
class Reversed<K, V> extends Map<K, V> {
  override *entries(): any {
    yield* [...super.entries()].reverse();
  }
  override [Symbol.iterator](): any {
    return this.entries();
  }
  override forEach(): void {
    throw new Error('never');
  }
  override set(key: K, value: V) {
    return super.set(key, value);
  }
}
class Upper extends Set<string> {
  override add(v: string) {
    return super.add(v.toUpperCase());
  }
  override *values(): any {
    yield 'other';
  }
  override get size() {
    return 99;
  }
}
class Lying extends Date {
  override getTime() {
    return 5;
  }
  override valueOf() {
    return 6;
  }
}
class LyingNumber extends Number {
  override valueOf() {
    return 7;
  }
}
class Sized extends Array<number> {
  constructor(n: number) {
    super();
    for (let i = 0; i < n; i++) this.push(i);
  }
  static override get [Symbol.species]() {
    return Array;
  }
}
const reversed = new Reversed([
  ['a', 1],
  ['b', 2],
]);
const upper = new Upper(['a', 'b']);
const lying = new Lying(1000);
const lyingNumber = new LyingNumber(3);
const sized = new Sized(3);
class Counted {
  static instances: Counted[] = [];
  static #last: Counted | undefined;
  id = Counted.instances.length;
  constructor() {
    Counted.instances.push(this);
    Counted.#last = this;
  }
  static last() {
    return Counted.#last?.id;
  }
}
new Counted();
const second = new Counted();
const singleton = new (class Registry {
  static instance: unknown;
  names = new Map([['a', () => this.names.size]]);
  constructor() {
    Registry.instance = this;
  }
  same() {
    return Registry.instance === this;
  }
})();
class Fluent {
  private steps: ((x: number) => number)[] = [];
  add(f: (x: number) => number) {
    this.steps.push(f);
    return this;
  }
  build() {
    return (x: number) => this.steps.reduce((v, f) => f(v), x);
  }
}
class Base {
  constructor(public readonly kind: string) {}
  describe = () => `${this.kind}/${new.target}`;
  static create<T extends Base>(this: new (kind: string) => T, kind: string): T {
    return new this(kind);
  }
}
class Child extends Base {
  override describe = () => `child ${this.kind}`;
}
const child = Child.create('c');
const handlers: Record<string, (this: any, x: number) => unknown> = {
  ['a' + 'b']: (x) => x,
  async: (x) => x,
  get: (x) => [x, 'get'],
  static(x) {
    return [x, 'static', this.get?.(x)];
  },
  await(x) {
    return x;
  },
  'quo"te\n': (x) => [x, 'quoted'],
  [Symbol.for('h') as any](x: number) {
    return [x, 'symbol'];
  },
  123n: (x) => [x, 'big'],
  1e3(x) {
    return [x, 'thousand'];
  },
  ['__proto__'](x) {
    return [x, 'own proto'];
  },
};
const accessors = {
  n: 1,
  get double() {
    return this.n * 2;
  },
};
let late: (x: number) => unknown;
const useLate = (x: number) => late(x);
late = (x) => (x > 0 ? [x, useLate(x - 1)] : 'end');
const { a: { b: picked = (x: number) => [x, 'default'] } = {} as any, ...others } = {
  c: (x: number) => [x, others.c === others['c']],
} as any;
const [
  ,
  fromArray = function (x: number) {
    return [x, fromArray.name];
  },
] = [] as any[];
const pipeline = [(x: number) => x + 1, (x: number) => x * k].reduce((f, g) => (x) => g(f(x)));
const memo = (() => {
  const cache = new Map<number, number>();
  const fib = (n: number): number => {
    const known = cache.get(n);
    if (known !== undefined) return known;
    const value = n < 2 ? n : fib(n - 1) + fib(n - 2);
    cache.set(n, value);
    return value;
  };
  return fib;
})();
const curried = (a: number) =>
  function (this: { m: number } | undefined, b: number) {
    return [a, b, this?.m];
  };
const boundCurried = curried(1).bind({ m: 3 });
var hoistedVar = 'set';
const templated = (x: number) => `${((y) => `${y}${`${k}`}`)(x)}`;
const regexes = (x: number) => [
  'a/b'.replace(/\//g, `${x}`),
  /[/\]]+/.test('/]'),
  4 / 2 / 1,
  ((g) => g)(8) / 2,
];
const optional = {
  deep: {
    f(this: any, x: number) {
      return [x, this === optional.deep];
    },
  },
} as any;
const comma = (0, optional.deep.f);
const yields = {
  *[Symbol.iterator]() {
    const received: unknown = yield 1;
    yield received;
    try {
      yield 2;
    } finally {
      yield 'cleanup';
    }
  },
};
const exotic = Object.assign((x: number) => exotic.helper(x), {
  helper: (x: number) => [x, exotic.tag],
  tag: 'exotic',
});
const frozenFn = Object.freeze(Object.assign((x: number) => x, { meta: Object.freeze({ v: 1 }) }));
const proto = {
  greet(x: number) {
    return [x, (this as any).who];
  },
};
const greeter = { __proto__: proto, who: 'me' } as any;
const selfRef: any[] = [];
selfRef.push(selfRef, () => selfRef);
const bufferPool = Buffer.from('pooled');
const slice = bufferPool.subarray(1, 3);
const { compose, identity } = {
  compose:
    (...fs: ((x: any) => any)[]) =>
    (x: any) =>
      fs.reduce((v, f) => f(v), x),
  identity: lodash.identity,
};

export default closureJob('closures-adversary-more', {
  'collections that lie about themselves': same((x) => [
    [...reversed],
    reversed.size,
    reversed.get('a'),
    upper.has('A'),
    Set.prototype.has.call(upper, 'B'),
    upper.size,
    [...Set.prototype.keys.call(upper)],
    x,
  ]),
  'dates, numbers and arrays that lie': same((x) => [
    Date.prototype.getTime.call(lying),
    +lying,
    Number.prototype.valueOf.call(lyingNumber),
    +lyingNumber,
    [...sized],
    sized.length,
    sized.map((y) => y) instanceof Sized,
    new Sized(x).length,
  ]),
  'classes that keep their instances': same((x) => [
    Counted.instances.length,
    Counted.last(),
    Counted.instances[1] === second,
    second.id,
    new Counted().id >= 2,
    x > 0,
  ]),
  'a singleton that its class knows': same((x) => [
    (singleton as any).same(),
    singleton.names.get('a')!(),
    x,
  ]),
  'a builder with lambdas': sameOf(() => [
    new Fluent()
      .add((x) => x + k)
      .add((x) => x * 10)
      .build(),
  ]),
  'factories with this as class': same((x) => [
    child.describe(),
    child instanceof Child,
    Child.create('d').describe(),
    x,
  ]),
  'keys of all kinds': same((x) =>
    [...Reflect.ownKeys(handlers)].map((key) => [String(key), handlers[key as string]!.call(handlers, x)]),
  ),
  'a getter of an object is read when it is captured': gives((x) => ((accessors.n = x), accessors.double), 2),
  'mutual recursion through a late let': same((x) => useLate(x)),
  'functions from destructuring defaults': same((x) => [picked(x), others.c(x), fromArray(x)]),
  'a pipeline made by reduce': sameOf(() => [pipeline, templated, regexes]),
  'a memo with its cache': same((x) => memo(x * 10)),
  'bound and curried with this': same((x) => [boundCurried(x), curried(x).call({ m: k }, 1)]),
  'var at the top': same((x) => [hoistedVar, x]),
  'optional calls and commas': same((x) => [
    optional.deep?.f?.(x),
    optional.missing?.f(x),
    comma(x),
    optional?.['deep'].f(x),
  ]),
  'generators that get values': same((x) => {
    const it = yields[Symbol.iterator]();
    it.next();
    return [it.next(x).value, it.next().value, it.return?.(undefined as never).value, x];
  }),
  'functions with functions': sameOf(() => [
    exotic,
    frozenFn,
    (x) => [Object.isFrozen(frozenFn), frozenFn.meta, exotic === exotic.helper, x],
  ]),
  'a prototype by literal': same((x) => [greeter.greet(x), Object.getPrototypeOf(greeter) === proto]),
  'an array in itself': same((x) => [selfRef[0] === selfRef, selfRef[1]() === selfRef, x]),
  'slices of a pool': same((x) => [
    slice.toString(),
    slice.buffer.byteLength < 100 || slice.buffer === bufferPool.buffer,
    x,
  ]),
  'package functions passed around': same((x) => [
    compose(identity, (y) => y + k)(x),
    lodash.chunk([1, 2, 3], k),
    posix.join('a', `${x}`),
  ]),
  'a class whose socket nobody asks for': same((x) => [Remote.limit, x]),
  'an unlabelled block, comma and void': same((x) => {
    {
      let x2 = x;
      {
        var y = (void 0, x2++, x2);
      }
    }
    return y;
  }),
  'closures in class fields made there': same((x) => {
    class A {
      static s = [1, 2].map((v) => v + k + x);
      f = () => this.g();
      g = () => A.s;
    }
    return new A().f();
  }),
  'a lambda with its own using, label and switch': same((x) => {
    let out: unknown[] = [];
    loop: for (const v of [1, 2, 3]) {
      switch (v % k) {
        case 0:
          continue loop;
        default: {
          const f = () => v * x;
          out.push(f());
        }
      }
    }
    return out;
  }),
  'async generators that delegate': async ({ rows }) => {
    const inner = async function* (n: number) {
      yield n;
      yield* [n + 1];
    };
    const outer = async function* (all: { toArray(): Promise<number[]> }) {
      for (const x of await all.toArray()) yield* inner(x * 10);
    };
    return [await rows.mapPartitions((all) => outer(all as any)).collect(), [10, 11, 20, 21, 30, 31]];
  },
});

// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, same, sameOf } from './lib/closure-job.ts';

const k = 2;
const fact = (n: number): number => (n <= 1 ? 1 : n * fact(n - 1));
function fib(n: number): number {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
const isEven = (n: number): boolean => n === 0 || isOdd(n - 1);
const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1);
function ping(n: number): string {
  return n <= 0 ? 'ping' : pong(n - 1);
}
function pong(n: number): string {
  return n <= 0 ? 'pong' : table.back(n - 1);
}
const table = { back: (n: number): string => ping(n) };

const counted = Object.assign((x: number) => x + counted.offset, { offset: 9 });
const one = (x: number) => x + 1;
const two = Object.assign((x: number) => x + 2, one, { note: 'own' });
const globals = { parseInt: (x: string) => parseInt(x, 10) + 1, Number: (x: number) => Number(x) * 2 };
const keys = { 'a-b': (x: number) => x + 1, 3: (x: number) => x * 2, class: (x: number) => x - 1 };
const computedName = 'total';
const computed = {
  [computedName](x: number) {
    return x + k;
  },
  async [`${computedName}Later`](x: number) {
    return x;
  },
  get [Symbol.toStringTag]() {
    return 'Computed';
  },
};
const methods = {
  base: 5,
  plain(x: number) {
    return x + k;
  },
  *generator(n: number) {
    for (let i = 0; i < n; i++) yield i * k;
  },
  viaThis(x: number) {
    return this.base + x;
  },
  'a b'(n: number) {
    return n + k;
  },
  7(n: number) {
    return n * k;
  },
};
const tag = (strings: TemplateStringsArray, ...values: unknown[]) => `${strings.raw.join('|')}${values}`;
const keepStrings = (strings: TemplateStringsArray) => strings;
const strings = keepStrings`a\n${k}b`;

function Point(this: { x: number }, x: number) {
  this.x = x;
}
Point.prototype.double = function (this: { x: number }) {
  return this.x * k;
};
Object.defineProperty(Point.prototype, 'half', {
  get(this: { x: number }) {
    return this.x / k;
  },
  configurable: true,
});
function Point3(this: { x: number; z: number }, x: number) {
  Point.call(this as never, x);
  this.z = 1;
}
Point3.prototype = Object.create(Point.prototype, {
  constructor: { value: Point3, writable: true, configurable: true },
});
Point3.prototype.triple = function (this: { x: number }) {
  return this.x * 3;
};
function Bag(this: { items: number[] }) {
  this.items = [];
}
Bag.prototype = {
  put(this: { items: number[] }, x: number) {
    this.items.push(x);
    return this;
  },
};
type Made = Record<string, (...args: unknown[]) => unknown> & { x: number; half: number; items: number[] };
const make = (type: unknown, ...args: unknown[]): Made =>
  Reflect.construct(type as NewableFunction, args) as Made;
const old = make(Point3, 5);

function reassigned(x: number) {
  return x;
}
(reassigned as unknown) = (x: number) => x * 100;
const walk = function* self(n: number): Generator<number> {
  if (n > 0) {
    yield n;
    yield* self(n - 1);
  }
};
const compose =
  (...steps: ((x: number) => number)[]) =>
  (x: number) =>
    steps.reduce((value, step) => step(value), x);
let deep = (x: number) => x;
for (let i = 0; i < 500; i++) {
  const inner = deep;
  deep = (x) => inner(x) + 1;
}
const frozenFn = Object.freeze(Object.assign((x: number) => x + frozenFn.by, { by: 4 }));
const late = (n: number): number => (n <= 0 ? bottom : later(n - 1));
const bottom = 11;
const later = (n: number): number => late(n - 1);
const knot: { n: number; f?: (x: number) => number } = { n: 3 };
const tied = ((x: number): number => x + knot.n + (knot.f ? 1 : 0)).bind(null);
knot.f = tied;
const partial = ((a: number, b: number, c: number) => a * 100 + b * 10 + c).bind(null, 1).bind(null, 2);
const receiver = function (this: { q: number }, x: number) {
  return this.q + x;
}.bind({ q: 7 });

// What an object's methods change, its arrows must see.
class Meter {
  n = 0;
  add() {
    this.n++;
  }
  read = () => this.n;
}
const meter = new Meter();
const pair = (() => {
  class Pair {
    n = 1;
    bump() {
      this.n *= 10;
    }
    make() {
      return { up: () => this.bump(), get: () => this.n };
    }
  }
  return new Pair().make();
})();

export default closureJob('closures-functions', {
  recursion: same((x) => [fact(x + 3), fib(x + 5), isEven(x), isOdd(x)]),
  'a cycle as the root': sameOf(() => [isOdd as never, (x) => ping(x), pong as never, table.back as never]),
  'cycles of constants that are younger': same((x) => [late(x), later(x)]),
  'a cycle through a bound function': sameOf(() => [tied]),
  'own properties': same((x) => [counted(x), counted.offset, two(x), two.note]),
  'tags are not copied by Object.assign': sameOf(() => [one, two]),
  'frozen functions': same((x) => [frozenFn(x), Object.isFrozen(frozenFn)]),
  'keys named like globals': same((x) => [globals.parseInt(`${x}`), globals.Number(x)]),
  names: same(() => [
    [fact, fib, methods.plain, methods[7], keys['a-b'], keys[3], keys.class, walk, Point].map((f) => f.name),
    [computed['total']!.name, fact.length, ((a: unknown, b = 1) => [a, b]).length],
  ]),
  'methods of all kinds': same((x) => [
    methods.plain(x),
    [...methods.generator(x)],
    methods.viaThis(x),
    methods['a b'](x),
    methods[7](x),
  ]),
  'a method by itself': sameOf(() => [methods.plain, methods[7], methods['a b'], computed.total as never]),
  'methods with computed keys': same((x) => [
    computed.total!(x as never),
    computed['totalLater']!.constructor.name,
    String(computed),
  ]),
  'default parameters': same((x) =>
    (({ a = k, [computedName]: t = fact(3), ...rest }: any, w = t + k, [q, ...r] = [a, t]) => [
      a,
      t,
      w,
      q,
      r,
      rest,
    ])({
      b: x,
    }),
  ),
  'a parameter that shadows in a default': same((x) => ((k = x, f = () => k) => [k, f()])()),
  'a default that captures what a later one shadows': same((x) => ((f = () => k, j = f() + x) => [f(), j])()),
  'tagged templates': same((x) => [tag`a${x}\n${k}b`, strings.raw[0], strings[1], Object.isFrozen(strings)]),
  'optional chains': same((x) => [
    (methods as any).plain?.(x),
    (methods as any).nope?.(x),
    (methods as any)?.['plain'](x),
    (undefined as any)?.a.b.c(x),
  ]),
  'constructor functions': same((x) => [
    make(Point, x).double!(),
    make(Point, x).half,
    make(Point, x) instanceof Point,
  ]),
  'prototypes that inherit': same((x) => [
    make(Point3, x).double!(),
    make(Point3, x).triple!(),
    old.triple!(),
    old instanceof Point3,
    old instanceof Point,
    old.half,
  ]),
  'a replaced prototype': same((x) => (make(Bag).put!(x) as Made).items),
  'a re-assigned declaration': same((x) => reassigned(x)),
  'generators that call themselves': same((x) => [...walk(x)]),
  'composition, 500 deep': same((x) => [compose(one, two, deep)(x), deep(x)]),
  'functions bound twice, and to a receiver': sameOf(() => [partial, receiver]),
  'builtins bound': sameOf(() => [
    [1, 3].includes.bind([1, 3]),
    String.prototype.concat.bind('n'),
    Math.max.bind(Math, 2),
    Number,
    Math.sqrt,
    Boolean,
  ]),
  'object methods, arrow fields and their object': same((x) => {
    meter.add();
    return [meter.read(), x];
  }),
  'two arrows over one object': same(() => {
    pair.up();
    return pair.get();
  }),
  'an arrow over an object by itself': sameOf(() => [() => meter.n, meter.read, pair.get]),
  'arrows in arrows over this': same((x) =>
    new (class {
      by = 3;
      go() {
        return [1, 2].map((a) => [a].map((b) => a * b * this.by + x));
      }
    })().go(),
  ),
  'an IIFE, a conditional, a logical assignment': sameOf(() => {
    let h: ((x: number) => number) | undefined;
    h ??= (x) => x + 0.5;
    return [
      k > 1 ? (x) => x + 1 : (x) => x - 1,
      (
        (k) => (x: number) =>
          x * k
      )(4),
      h,
    ];
  }),
  'curried three deep': sameOf(() => {
    const a = 1;
    const f = (b: number) => (c: number) => (d: number) => [a, b, c, d, k];
    return [f(2)(3), (x) => f(x)(x)(x)];
  }),
  'closures in maps, arrays, objects': (() => {
    const ops = new Map([['inc', (x: number) => x + k]]);
    const list = [fact, (x: number) => ops.get('inc')!(x)];
    return same((x) => [ops.get('inc')!(x), list.map((f) => f(x))]);
  })(),
  'a closure in its own data': (() => {
    const node: { children: unknown[]; sum?: () => number; n: number } = { children: [], n: 4 };
    node.sum = () => node.n + node.children.length;
    node.children.push(node);
    return same((x) => [node.sum!() + x, node.children[0] === node]);
  })(),
  'an arguments object': (() => {
    const args = (function (..._rest: number[]) {
      return arguments;
    })(4, 5);
    return same((x) => [args.length, args[1], [...args], x]);
  })(),
});

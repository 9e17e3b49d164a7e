// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';

const k = 2;
function lateParameter(first = (x: number) => [x, second], second = k * 10) {
  return first;
}
function bodyShadowsParameter(a: number, get = () => a) {
  var a = 100;
  return [(x: number) => [x, get()], (x: number) => [x, a]];
}
function* spirals() {
  for (let i = 0; i < 3; i++) {
    const j = i * i;
    yield (x: number) => [x, i, j];
    i += 0;
  }
}
const noThis = (() => typeof this)();
function outerArguments(this: unknown, ..._: number[]) {
  return function (this: unknown, x: number) {
    const nested = () => () => [arguments.length, [...arguments]];
    return nested()();
  };
}
let rewritten = function first(x: number): unknown {
  return ['first', x, typeof first];
};
const keptFirst = rewritten;
rewritten = function second(x: number): unknown {
  return ['second', keptFirst(x)];
};
function counterLike(x: number) {
  return x + counterLike.step + counterLike.length;
}
counterLike.step = 7;
Object.defineProperty(counterLike, 'hidden', { value: 'not enumerable' });
const $millrace = 5;
const $super = 'mine';
const $key = 'k';
const $values = [1];
const $n_a_b = 'n';
const \u0061bc = 'escaped';
const ünïcödé = 'ü';
const 変数 = 'v';
const 𠮷 = 'astral';
const map = (x: number) => `my map ${x}`;
const collect = () => 'my collect';
const perExecutor = (x: number) => x * 3;
const env = { CLOSURES: 'own env' };

export default closureJob('closures-adversary-scopes', {
  'a default parameter that reads a later one': sameOf(() => [lateParameter()]),
  'a var of the body beside the parameter of its name': sameOf(() => bodyShadowsParameter(7)),
  'var in a catch with its name': same((x) => {
    var e: any = 'outer';
    try {
      throw x;
    } catch (e) {
      var e: any = 'assigned to the parameter';
    }
    return e;
  }),
  'functions of blocks stay there': same((x) => {
    const out = [typeof (globalThis as any).inBlock];
    {
      out.push(inBlock());
      function inBlock() {
        return `b${x}`;
      }
    }
    if (x > 0) {
      function inBlock() {
        return `c${k}`;
      }
      out.push(inBlock());
    }
    return out;
  }),
  'labelled continue with a closure for each turn': sameOf(() => {
    const fs: ((x: number) => unknown)[] = [];
    outer: for (let i = 0; i < 4; i++) {
      for (let j = 0; ; j++) {
        fs.push((x) => [x, i, j]);
        if (j >= i) continue outer;
        if (i === 3) break outer;
      }
    }
    return fs;
  }),
  'closures of a generator': sameOf(() => [...spirals()]),
  'a loop that changes its variable after the closure': sameOf(() => {
    const fs: ((x: number) => unknown)[] = [];
    for (let i = 0; i < 6; i++) {
      fs.push((x) => [x, i]);
      i++;
    }
    return fs;
  }),
  'this at the top of a module': same((x) => [x, noThis, (() => this)()]),
  'arguments in nested arrows': sameOf(() => [outerArguments.call(null, 1, 2, 3)]),
  'named function expressions, one re-assigned': sameOf(() => [rewritten, keptFirst]),
  'a function with properties of both kinds': same((x) => [
    counterLike(x),
    (counterLike as any).hidden,
    Object.keys(counterLike),
  ]),
  'names of the transform': same((x) => [$millrace + x, $super, $key, $values, $n_a_b]),
  'names of the transform inside of classes': sameOf(() => {
    const $millrace$ = class {
      static $values = 1;
      static #p = 2;
      [$key]() {
        return [$super, $millrace, $millrace$.$values, $millrace$.#p];
      }
    };
    return [(x) => [x, new $millrace$().k()]];
  }),
  'unicode names': same((x) => [abc, ünïcödé, 変数, 𠮷, x]),
  'names of the API': same((x) => [map(x), collect(), perExecutor(x), env]),
  'shadowed globals': sameOf(() => {
    const [Object, Map, JSON, Symbol, Array, Reflect, Error] = [1, 2, 3, 4, 5, 6, 7];
    const globalThis = { mine: true };
    let undefined = 'defined';
    const NaN = 0;
    return [(x) => [x, Object, Map, JSON, Symbol, Array, Reflect, Error, globalThis, undefined, NaN]];
  }),
  'a class with statics that sees a Symbol of its own': sameOf(() => {
    const Symbol = { for: () => 'hijacked', iterator: 'it' };
    class Own {
      static #secret = 41;
      static [Symbol.iterator] = 'value';
      static read(x: number) {
        return [Symbol.for(), Own.#secret + x, (Own as any).it];
      }
    }
    return [(x) => Own.read(x)];
  }),
  'directives, comments and html-like text': same((x) => {
    'use strict';
    /* } */ // ) => {
    const s = '//# sourceMappingURL=data:application/json;base64,e30=';
    /*# sourceMappingURL=nowhere.map */
    return [s.length, x, `}${/[/}]/.source}${'`'}`, x /* / */ / 2]; //# sourceMappingURL=user.map
  }),
  'asi and odd line ends': same((x) => {
    let a = x;
    [a] = [a + 1];
    const b = a;
    /re/g.exec('re');
    return [a, b];
  }),
  'lambdas that make lambdas that make lambdas': sameOf(() => {
    const a = 1;
    const make = (b: number) => (c: number) => (d: number) => (x: number) => [a, b, c, d, k, x];
    return [make(2)(3)(4), (x) => make(x)(x + 1)(x + 2)(x + 3)];
  }),
  'lambdas from arrays, conditions and calls at once': sameOf(() => {
    const id = <T,>(f: T): T => f;
    return [
      id((x: number) => x),
      [(x: number) => x + 1][0]!,
      (
        () => (x: number) =>
          x + 2
      )(),
      (0, (x: number) => x + 3),
      ((x: number) => x + 4) satisfies (x: number) => number,
      <const T extends number>(x: T) => [x, k] as const,
      { f: (x: number) => x + 5 }.f as (x: number) => number,
      new (class {
        f = (x: number) => [x, this.y];
        y = 9;
      })().f,
    ];
  }),
  'a TDZ that only the call meets': same((x) => {
    const read = () => later;
    let out: string;
    try {
      out = String(read());
    } catch (error) {
      out = (error as Error).constructor.name;
    }
    const later = x;
    return [out, read()];
  }),
  'destructuring with defaults that call captured functions': sameOf(() => {
    const one = () => 1;
    const deep = ({ a = one(), b: [c = one() + 1, ...d] = [undefined, 3], ...e }: any = {}) => [a, c, d, e];
    return [(x) => deep({ x }), (x) => deep({ b: [x] }), () => deep()];
  }),
  'spread of captured iterables': sameOf(() => {
    const set = new Set([1, 2]);
    const iterable = {
      n: 2,
      *[Symbol.iterator]() {
        for (let i = 0; i < this.n; i++) yield i;
      },
    };
    return [(x) => [...set, ...iterable, ...'añ𠮷', x], (x) => Math.max(...set, x)];
  }),
  'tagged templates have one site': sameOf(() => {
    const seen: TemplateStringsArray[] = [];
    const tag = (strings: TemplateStringsArray) => strings;
    const site = () => tag`a${1}\u{41}`;
    return [(x) => [site() === site(), Object.isFrozen(site()), site().raw, tag`a` === tag`a`, x]];
  }),
  'a captured template object': sameOf(() => {
    const strings = ((s: TemplateStringsArray) => s)`x${0}\n`;
    return [() => [strings.length, strings.raw, Object.isFrozen(strings), Object.keys(strings)]];
  }),
  'enums that merge, and namespaces': sameOf(() => [
    (x) => [Merged.A, Merged.B, Merged[2], Merged.both(x), Heterogeneous.S, Object.keys(Heterogeneous)],
  ]),
  'iterators, primitives and disposal by symbols': sameOf(() => {
    const money = {
      cents: 250,
      [Symbol.toPrimitive](hint: string) {
        return hint === 'number' ? this.cents : `${hint}:${this.cents}`;
      },
      get [Symbol.toStringTag]() {
        return 'Money';
      },
    };
    return [(x) => [+money, `${money as any}`, (money as any) + x, Object.prototype.toString.call(money)]];
  }),
  'a default parameter with a side effect on an own variable': same((x) => {
    let n = 0;
    const f = (a = n++, b = ((n += a), n)) => [a, b];
    return [f(), f(5), f(undefined, 1), n, x];
  }),
  'Function made there': gives(
    (x) => (() => {}).constructor(`return typeof require + ${x}`)(),
    'undefined1',
    'undefined2',
    'undefined3',
  ),
  'indirect eval sees only globals': same((x) => (0, eval)(`typeof k + ${x}`)),
});

enum Merged {
  A = 1,
}
enum Merged {
  B = 2,
}
namespace Merged {
  export const both = (x: number) => Merged.A + Merged.B + x;
}
enum Heterogeneous {
  N,
  S = 's',
}

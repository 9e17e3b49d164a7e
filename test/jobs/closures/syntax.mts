// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';

const k = 5;

class Tally {
  static #n = 0;
  static #log: string[] = ['made'];
  static up() {
    Tally.#log.push(`up${++Tally.#n}`);
    return Tally.#n;
  }
  static get state() {
    return [Tally.#n, Tally.#log.length];
  }
}
Tally.up();
Tally.up();
let runs = 0;
class Single {
  static #instance: Single | undefined;
  static #made = ++runs;
  value = 1;
  static get() {
    return (Single.#instance ??= new Single());
  }
  static get made() {
    return Single.#made;
  }
}
Single.get().value = 7;
const counter = (n: number) =>
  class {
    static #n = n;
    static get n() {
      return this.#n;
    }
    static up() {
      this.#n++;
    }
  };
const [First, Second] = [counter(1), counter(5)];
First.up();
class Registry {
  static #byName = new Map<string, () => number>();
  static #hidden = new Promise(() => {});
  static {
    this.#byName.set('k', () => k);
  }
  static two = () => Registry.#two();
  static #three = () => Registry.#two() + 1;
  static #two() {
    return 2;
  }
  static has(value: object) {
    return #byName in value;
  }
  static call(name: string) {
    return this.#byName.get(name)?.();
  }
  static hidden() {
    return String(this.#hidden);
  }
  static three() {
    return Registry.#three();
  }
}
class Accessors {
  accessor x = 1;
  static accessor y = k;
  #z = 3;
  get z() {
    return this.#z * this.x;
  }
  set z(value) {
    this.#z = value;
  }
}
Accessors.y = 9;
class Heir extends Accessors {
  override get z() {
    return super.z + 1;
  }
  override set z(value) {
    super.z = value * 2;
  }
}
class Narrowed {
  #n = k;
  read = (x: number) => this.#n + x;
}
const narrowed = new Narrowed().read;
class Order {
  seen = this.describe();
  describe() {
    return 'base';
  }
}
class LateOrder extends Order {
  extra = 'set';
  override describe() {
    return `heir ${this.extra}`;
  }
}
class Family {
  static tag = 'a';
  kind: string;
  constructor() {
    this.kind = new.target.name;
  }
  static make() {
    return new this();
  }
}
class Grandchild extends Family {
  static override tag = `b${super.tag}`;
  static override make() {
    return super.make();
  }
}
function Old(this: { isNew: boolean; by: string | undefined }) {
  this.isNew = new.target === Old;
  this.by = new.target?.name;
}
class Nothing extends (null as unknown as ObjectConstructor) {
  static proto() {
    return Object.getPrototypeOf(Nothing.prototype);
  }
}
const Outer = class Inner {
  static who() {
    return Inner.name;
  }
  twin() {
    return new Inner();
  }
};
let renamed: typeof Outer | null = Outer;
const kept = renamed;
renamed = null;

const sites: (strings: TemplateStringsArray, ..._values: unknown[]) => TemplateStringsArray = (strings) =>
  strings;
const site = () => sites`a${k}\u0062`;
const fs: ((x: number) => unknown)[] = [];
for (let i = 0; i < 3; fs.push((x) => [x, i]), i++);
const atTop = this;
enum Mixed {
  A = 1,
  B = A << 2,
  C = 'c',
}
enum Mixed {
  D = 9,
}
namespace Mixed {
  export const extra = k;
}
function merged() {
  return merged.note;
}
namespace merged {
  export let note = 'first';
}
merged.note = 'later';
class Point {
  constructor(
    private readonly x: number,
    public y = x + 1,
    protected label: string = `p${y}`,
  ) {}
  get text() {
    return `${this.label}:${this.x},${this.y}`;
  }
}
import alias = Mixed.D;
const typed = { a: 1 } satisfies Record<string, number>;
const generic = <T,>(x: T, ..._rest: T[]) => x!;
function overloaded(a: string): string;
function overloaded(a: number): number;
function overloaded(a: string | number) {
  return a;
}
const $ = 1;
const $0 = 2;
const $super = 3;
const $key = 4;
const $millrace = 5;
const $values = 6;
const ünïcode = 7;
const log: string[] = [];
class Closing {
  constructor(readonly name: string) {}
  [Symbol.dispose]() {
    log.push(this.name);
  }
}
const registered = Symbol.for('millrace.syntax');
const keyed = { [registered]: 1, [Symbol.iterator]: undefined, [`k${k}`]: 2 };
const growing = new ArrayBuffer(4, { maxByteLength: 16 });
const big = new BigInt64Array([1n, -5n]);
const clamped = new Uint8ClampedArray([300, -1]);
const match = /(?<y>\d{4})/dgu;
match.lastIndex = 2;

export default closureJob('closures-syntax', {
  'the state of static private fields': gives(() => Tally.state, [2, 3]),
  'a static private singleton': gives(() => [Single.get().value, Single.made, runs], [7, 1, 1]),
  'static private fields of classes that a function makes': same(() => [First.n, Second.n, counter(9).n]),
  'static private methods, blocks, and what of them cannot ship': same(() => [
    Registry.call('k'),
    Registry.two(),
    Registry.three(),
    Registry.has(Registry),
    Registry.has({}),
    Reflect.ownKeys(Registry).length,
  ]),
  'a static private field that cannot ship, used': gives(() => {
    try {
      return Registry.hidden();
    } catch (error) {
      return /`Registry\.#hidden` is not available on an executor/.test((error as Error).message);
    }
  }, true),
  'accessor fields': same((x) => {
    const made = new Accessors();
    made.x = x;
    made.z = 4;
    return [made.x, made.z, Accessors.y, Object.keys(made)];
  }),
  'accessors that an heir overrides': same((x) => {
    const made = new Heir();
    made.z = x;
    return made.z;
  }),
  'an arrow field that only reads #private': sameOf(() => [narrowed]),
  'the order of fields and constructors': same(() => [new LateOrder().seen, new LateOrder().extra]),
  'new.target in classes and functions': same(() => [
    new Family().kind,
    Grandchild.make().kind,
    Grandchild.tag,
    { ...Reflect.construct(Old, []) },
    { ...Reflect.construct(Old, [], Family) },
  ]),
  'a class that extends null': same(() => Nothing.proto()),
  'the inner name of a class expression': same(() => [
    kept.who(),
    new kept().twin() instanceof kept,
    renamed,
  ]),
  'tagged templates: one strings object for each site': same((x) => {
    const [a, b, c] = [site(), site(), sites`a${x}\u0062`];
    return [a === b, a === c, a.raw[1], a[1], Object.isFrozen(a.raw)];
  }),
  'the scope of default parameters': same((x) =>
    ((y: number, read = () => k + y, own = () => y) => {
      var k = 9;
      var y = y + k;
      return [read(), own(), y, k];
    })(x),
  ),
  'destructuring with defaults that use each other': same((x) => {
    const f = (
      { a = k, b: { c = a + 1, ...others } = {} as any } = {} as any,
      [d = c, , e = d] = [x] as any[],
    ) => [a, c, d, e, others];
    return [f(), f({ a: 1, b: { z: 2 } }, []), f(undefined, [7, 8, 9])];
  }),
  'closures made in the head of a loop': sameOf(() => fs),
  'closures that change their loop variable': same(() => {
    const reads: (() => number)[] = [];
    for (let i = 0, skip = () => i++; i < 5; skip(), i++) reads.push(() => i);
    return reads.map((read) => read());
  }),
  'labels across nested loops': same((x) => {
    const seen: string[] = [];
    outer: for (const a of [1, 2, 3]) {
      inner: for (const b of [1, 2, 3]) {
        if (b === a) continue inner;
        if (a + b === x + 3) continue outer;
        if (a === 3) break outer;
        seen.push(`${a}${b}`);
      }
    }
    block: {
      if (x > 1) break block;
      seen.push('one');
    }
    return seen;
  }),
  'this at the top, in functions and in methods': same(() => [
    typeof atTop,
    (function (this: unknown) {
      return this === undefined;
    })(),
    {
      n: k,
      read() {
        return (() => this.n)();
      },
    }.read(),
  ]),
  'arguments of functions, in arrows and beside parameters': same((x) => {
    function sum(a: number, b = 2, ..._c: number[]) {
      const inner = () => arguments.length;
      return [arguments.length, inner(), [...arguments].length, a + b, sum.length];
    }
    return [(sum as Function)(x), (sum as Function)(x, 1, 2, 3)];
  }),
  'enums that are written twice, with a namespace': same((x) => [
    Mixed.A + x,
    Mixed[4],
    Mixed.C,
    Mixed.D,
    Mixed.extra,
    alias,
  ]),
  'a function with a namespace': same(() => merged()),
  'parameter properties': same((x) => [
    new Point(x).text,
    new Point(x, 2, 'q').text,
    Object.keys(new Point(x)),
  ]),
  'types that leave nothing': same((x) => [typed.a, generic<number>(x), overloaded('s'), overloaded(x)]),
  'names that the engine uses, too': same(() => [$, $0, $super, $key, $millrace, $values, ünïcode]),
  'using, in blocks, loops and on errors': same((x) => {
    log.length = 0;
    for (using each of [new Closing('a'), new Closing('b')]) log.push(`in ${each.name}`);
    try {
      using first = new Closing('first');
      using second = new Closing(`second${x}`);
      if (x > 1) throw new Error(first.name + second.name);
    } catch (error) {
      log.push((error as Error).message);
    }
    return [...log];
  }),
  'registered, well-known and computed keys': same(() => [
    (keyed as any)[Symbol.for('millrace.syntax')],
    Symbol.iterator in keyed,
    keyed[`k${k}`],
    registered.description,
  ]),
  'memory that can grow, and typed arrays': same((x) => {
    const shared = new Uint8Array(growing);
    growing.resize(8);
    shared[6] = x;
    return [growing.maxByteLength, shared.length, shared[6], big[1], clamped[0]];
  }),
  'a regular expression under way': same(() => {
    const { lastIndex } = match;
    match.lastIndex = 2;
    const found = match.exec('a 2024 b');
    const result = [lastIndex, found?.indices?.groups?.['y'], match.lastIndex];
    match.lastIndex = 2;
    return result;
  }),
  'generators: return, throw, delegation': same((x) => {
    function* inner(n: number): Generator<number, string, number> {
      try {
        const given = yield n;
        yield given * k;
      } finally {
        yield -1;
      }
      return 'end';
    }
    function* outer(): Generator<number, void, number> {
      const last = yield* inner(x);
      yield last.length;
    }
    const it = outer();
    return [it.next(), it.next(3), it.next(), it.next(), it.return(), [...inner(x)]];
  }),
  'a Proxy made there': same((x) => {
    const seen: string[] = [];
    const proxy = new Proxy(
      { x },
      { get: (target, key) => (seen.push(String(key)), Reflect.get(target, key)) },
    );
    return [proxy.x, (proxy as any).other, seen];
  }),
  'optional chains, nullish and logical assignment': same((x) => {
    const deep: any = { a: { f: (n: number) => n + k, list: [1] } };
    let one: number | undefined;
    let two: number | null = null;
    one ??= x;
    two ||= k;
    two &&= two + 1;
    return [
      deep?.a?.f?.(x),
      deep.b?.c.d.e,
      deep.a?.['list']?.[0],
      deep.a.g?.(x),
      one,
      two,
      delete deep?.a?.list,
      deep.a.list,
    ];
  }),
  'a name that is hoisted over another': same((x) => {
    const out = [typeof k];
    {
      out.push(typeof inner);
      function inner() {
        return k;
      }
      let k = 'block';
      out.push(inner());
    }
    return [out, x];
  }),
  'async functions and async generators': async ({ rows }) => {
    const later = async (n: number) => (await null, n * k);
    const all = async function* (n: number) {
      for await (const each of [later(n), n]) yield each;
    };
    const shipped = await rows
      .mapAsync(async (x) => {
        const out: number[] = [];
        for await (const each of all(x)) out.push(each);
        const [first, second] = await Promise.all([later(x), (async () => out.length)()]);
        return [out, first, second, (await Promise.allSettled([Promise.reject(new Error('e'))]))[0]?.status];
      })
      .collect();
    const expected = [1, 2, 3].map((x) => [[x * 5, x], x * 5, 2, 'rejected']);
    return [shipped, expected];
  },
});

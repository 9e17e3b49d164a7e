// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, same, sameOf } from './lib/closure-job.ts';

const k = 2;
function merged(x: number) {
  return merged.factor * x;
}
namespace merged {
  export const factor = 3;
}
class WithSpace {
  static own = 1;
  get() {
    return WithSpace.added + WithSpace.own;
  }
}
namespace WithSpace {
  export const added = 10;
  export class Inner {
    v = added;
  }
}
namespace Outer {
  export namespace Deep {
    export const value = 'deep';
    export const f = (x: number) => [x, value];
  }
}
import Alias = Outer.Deep;
const constructor = 'constructor';
const toString = 'toString';
const __proto__ = (x: number) => [x, '__proto__'];
const hasOwnProperty = 1;
const valueOf = 2;
const then = 3;
class FromNull extends (null as any) {
  static make() {
    return Object.create(FromNull.prototype);
  }
  m() {
    return 'null';
  }
}
let made = 0;
const makeBase = () => {
  made++;
  return class {
    base = made;
  };
};
class FromCall extends makeBase() {
  own = k;
}
const Anonymous = (() => class {})();
class Returns {
  constructor() {
    return { other: k };
  }
}
class Lots {
  static async *stream() {
    yield 1;
  }
  static *[Symbol.iterator]() {
    yield 'static';
  }
  static 'quoted name' = 4;
  static 5 = 'five';
  declare nothing: number;
  definite!: number;
  optional?: string;
  'field name' = k;
  static readonly table = Object.freeze({ a: 1 });
}
const cyclicError: any = new Error('cyclic');
cyclicError.cause = cyclicError;
cyclicError.list = [cyclicError];
const boxedWith = Object.assign(Object('str'), { label: 'b' });
const numberWith = Object.assign(Object(5), { label: 'n' });
const urlWith = Object.assign(new URL('https://a.example/'), { label: 'u' });
const bufferWith = Object.assign(new ArrayBuffer(2), { label: 'a' });
const setterOnly = Object.defineProperty({ n: 1 } as any, 's', { set() {}, enumerable: true });
const accessorElement: number[] = [1, 2];
Object.defineProperty(accessorElement, 0, { get: () => 9, enumerable: true });
let wrapped = (x: number) => x + 1;
const unwrapped = wrapped;
wrapped = (x) => unwrapped(x) * 10;
class Node2 {
  children: Node2[] = [];
  constructor(readonly parent: Node2 | undefined) {
    parent?.children.push(this);
  }
  depth(): number {
    return this.parent === undefined ? 0 : 1 + this.parent.depth();
  }
}
const root = new Node2(undefined);
const leaf = new Node2(new Node2(root));
abstract class State {
  static readonly ON: State = new (class On extends State {
    next() {
      return State.OFF;
    }
  })('on');
  static readonly OFF: State = new (class Off extends State {
    next() {
      return State.ON;
    }
  })('off');
  constructor(readonly label: string) {}
  abstract next(): State;
}
class Emitter<T> {
  #listeners = new Set<(t: T) => void>();
  static seen = 0;
  on(f: (t: T) => void) {
    this.#listeners.add(f);
    return this;
  }
  emit(t: T) {
    for (const f of this.#listeners) f(t);
    Emitter.seen++;
  }
}
const sameText = [(x: number) => x * k, (x: number) => x * k];
const twice =
  <T,>(f: (t: T) => T) =>
  (t: T) =>
    f(f(t));
const church = { zero: (_f: any) => (x: any) => x, succ: (n: any) => (f: any) => (x: any) => f(n(f)(x)) };
const three = church.succ(church.succ(church.succ(church.zero)));
const trampoline =
  (f: any) =>
  (...args: any[]) => {
    let out = f(...args);
    while (typeof out === 'function') out = out();
    return out;
  };
const countDown: any = (n: number): any => (n === 0 ? 'done' : () => countDown(n - 1));
const run = trampoline(countDown);
const Y = (f: any) => ((g: any) => g(g))((g: any) => f((x: any) => g(g)(x)));
const factorial = Y((self: any) => (n: number) => (n < 2 ? 1 : n * self(n - 1)));
const dispatch = new Map<unknown, (x: number) => unknown>([
  [Number, (x) => ['number', x]],
  [State, (x) => ['state', x]],
  [Math.max, (x) => ['max', x]],
  [sameText[0], (x) => ['lambda', x]],
]);
const partial =
  (f: (...all: any[]) => unknown, ...first: unknown[]) =>
  (...rest: unknown[]) =>
    f(...first, ...rest);
const events: [string, (x: number) => unknown][] = Object.entries({
  a: (x: number) => x,
  b(x: number) {
    return [x, this === undefined];
  },
});
const weirdThis = {
  f: function (this: any) {
    return () => () => this?.n;
  },
  n: 'n',
};
const { f: detached } = weirdThis;
const inherited = Object.setPrototypeOf({ own: 1 }, new WithSpace());
const dateKey = new Map([[new Date(0), 'epoch']]);
const nestedFrozen = Object.freeze(
  new Map([['k', Object.freeze({ f: Object.freeze((x: number) => [x, Object.isFrozen(nestedFrozen)]) })]]),
);

export default closureJob('closures-adversary-depth', {
  'functions and classes with namespaces': same((x) => [
    merged(x),
    new WithSpace().get(),
    new WithSpace.Inner().v,
    Alias.f(x),
    Alias.value,
  ]),
  'names that every object has': same((x) => [
    constructor,
    toString,
    __proto__(x),
    hasOwnProperty,
    valueOf,
    then,
  ]),
  'classes from null and from calls': same((x) => [
    FromNull.make().m(),
    new FromCall().base,
    new FromCall().own,
    made,
    typeof Anonymous.name,
    (new Returns() as any).other,
    x,
  ]),
  'odd class members': async ({ rows }) => {
    const shipped = await rows
      .mapAsync(async (x) => {
        const l: any = new Lots();
        return [
          (await Lots.stream().next()).value,
          [...(Lots as any)],
          (Lots as any)['quoted name'],
          (Lots as any)[5],
          Object.keys(l),
          l['field name'],
          Object.isFrozen(Lots.table),
          x,
        ];
      })
      .collect();
    const keys = Object.keys(new Lots());
    return [shipped, [1, 2, 3].map((x) => [1, ['static'], 4, 'five', keys, 2, true, x])];
  },
  'an error that is its own cause': same((x) => [
    cyclicError.cause === cyclicError,
    cyclicError.list[0] === cyclicError,
    x,
  ]),
  'builtins with properties': same((x) => [
    boxedWith.label,
    `${boxedWith}`,
    boxedWith.length,
    numberWith.label,
    numberWith + x,
    urlWith.label,
    urlWith.href,
    bufferWith.label,
    bufferWith.byteLength,
  ]),
  'accessors of data': same((x) => [setterOnly.s, Object.keys(setterOnly), accessorElement, x]),
  'a let that wraps itself': same((x) => [wrapped(x), unwrapped(x)]),
  'trees with parents': same((x) => [
    leaf.depth(),
    leaf.parent!.parent === root,
    root.children[0]!.children[0] === leaf,
    leaf instanceof Node2,
    x,
  ]),
  'states as statics of their class': same((x) => [
    State.ON.next() === State.OFF,
    State.OFF.next().label,
    State.ON instanceof State,
    State.ON.constructor.name,
    x,
  ]),
  'listeners with #private, made there': same((x) => {
    const got: number[] = [];
    new Emitter<number>().on((t) => got.push(t * k)).emit(x);
    return got;
  }),
  'two lambdas of one text': sameOf(() => [
    ...sameText,
    (x) => [sameText[0] === sameText[1], sameText[0]!(x)],
  ]),
  'functional classics': same((x) => [
    twice(twice((n: number) => n + x))(0),
    three((n: number) => n + 1)(x),
    run(1000),
    factorial(x + 5),
    partial((...a: unknown[]) => a, 1, 2)(x),
  ]),
  'functions as keys': same((x) =>
    [Number, State, Math.max, sameText[0]].map((key) => dispatch.get(key)!(x)),
  ),
  'methods by entries': same((x) => events.map(([name, f]) => [name, f(x)])),
  'this through two arrows': same((x) => [weirdThis.f()()(), (detached as any)()()(), x]),
  'an object below an instance': same((x) => [
    inherited.own,
    inherited.get(),
    inherited instanceof WithSpace,
    x,
  ]),
  'frozen maps of frozen functions': same((x) => [
    nestedFrozen.get('k')!.f(x),
    Object.isFrozen(nestedFrozen),
    [...dateKey.keys()][0]!.getTime(),
  ]),
  'closures in the head of a loop': sameOf(() => {
    const fs: ((x: number) => unknown)[] = [];
    for (
      let i = 0, keep = (x: number) => [x, i, 'init'];
      i < 3 && fs.push((x) => [x, i, 'test']);
      fs.push((x) => [x, i, 'update']), i++
    )
      if (i === 0) fs.push(keep);
    for (const [i, f = (x: number) => [x, i, 'default']] of [[1], [2]] as any[]) fs.push(f);
    return fs;
  }),
  'conditional, nullish and assigned in expressions': sameOf(() => {
    let f: any;
    let g: any;
    const o: any = {};
    const h = (f ??= (x: number) => [x, f === h]) && f;
    g = o.p = (x: number) => [x, g === o.p];
    return [h, g];
  }),
});

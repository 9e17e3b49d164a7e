// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, same, sameOf } from './lib/closure-job.ts';

const k = 2;
class Left {
  static {
    (this as any).pair = () => Right;
  }
  static tag = 'left';
}
class Right {
  static {
    (this as any).pair = () => Left;
  }
  static tag = 'right';
}
const Named = class Inner {
  static self = () => Inner;
  again() {
    return [Inner.name, new Inner() instanceof Named];
  }
};
class Vault {
  #n: number;
  static #made = 0;
  constructor(n: number) {
    this.#n = n;
    Vault.#made++;
  }
  static isOne(value: any) {
    return typeof value === 'object' && #n in value;
  }
  #double() {
    return this.#n * 2;
  }
  get twice() {
    return this.#double();
  }
  set n(value: number) {
    this.#n = value;
  }
  static get made() {
    return Vault.#made;
  }
}
new Vault(1);
class AsyncFields {
  base = k;
  load = async (x: number) => {
    await null;
    return [this.base, x];
  };
  each = async function* (this: AsyncFields, x: number) {
    yield [this.base, x];
  };
}
const withFields = new AsyncFields();
class StaticSuper {
  static who() {
    return `${this.name}/base`;
  }
}
class StaticHeir extends StaticSuper {
  static override who() {
    return `${super.who()}+heir`;
  }
}
const SYM = Symbol.for('adversary');
class Symbols {
  [SYM] = 1;
  static [SYM] = 'static';
  get [Symbol.toStringTag]() {
    return 'Symbols';
  }
  [Symbol.toPrimitive]() {
    return 42;
  }
  *[Symbol.iterator]() {
    yield* [1, 2];
  }
  async *[Symbol.asyncIterator]() {
    yield 3;
  }
  [Symbol.dispose]() {}
  static [Symbol.hasInstance](value: unknown) {
    return value === 'yes';
  }
}
class Stamp extends Date {
  zone = 'utc';
  label() {
    return `${this.toISOString()} ${this.zone}`;
  }
}
const stamp = new Stamp(86_400_000);
class Money extends Number {
  currency = 'EUR';
  shown() {
    return `${this.valueOf()} ${this.currency}`;
  }
}
class Text extends String {
  shout() {
    return this.toUpperCase();
  }
}
class Link extends URL {
  short() {
    return this.host;
  }
}
class Bytes extends ArrayBuffer {
  kind = 'bytes';
}
class Vec extends Float64Array {
  get [Symbol.toStringTag]() {
    return 'Vec' as any;
  }
  sum() {
    return this.reduce((a, b) => a + b, 0);
  }
}
class Table extends Map<string, number> {
  total() {
    return [...this.values()].reduce((a, b) => a + b, 0);
  }
}
class Stack<T> extends Array<T> {
  top = 'none';
  peek() {
    return this.at(-1);
  }
}
class Pattern extends RegExp {
  calls = 0;
  override test(s: string) {
    this.calls++;
    return super.test(s);
  }
}
const money = new Money(5);
const text = new Text('abc');
const link = new Link('https://a.example/b');
const bytes = new Bytes(3);
new Uint8Array(bytes).set([1, 2, 3]);
const vec = Vec.from([1, 2, 3]);
const table = new Table([['a', 1]]);
const stack = new Stack<number>();
stack.push(1, 2);
stack.top = 'two';
const pattern = new Pattern('a+', 'gy');
pattern.lastIndex = 1;
class NotFound extends Error {
  override name = 'NotFound';
  code = 404;
}
class Deeper extends NotFound {}
const failure = new Deeper('outer', { cause: new AggregateError([new TypeError('in'), 'text'], 'many') });
const domFailure = new DOMException('aborted', 'AbortError');
class Deletable {
  static gone = 1;
  static kept = 2;
  m() {
    return 1;
  }
}
delete (Deletable as any).gone;
class Patched {
  m() {
    return 'old';
  }
}
const oldM = Patched.prototype.m;
Patched.prototype.m = function () {
  return `new(${oldM.call(this)})`;
};
Object.defineProperty(Patched.prototype, 'hidden', { value: () => 'hidden', configurable: true });
Object.defineProperty(Patched, 'quiet', { value: 1 });
const mixin = <B extends new (...args: any[]) => object>(Base: B) =>
  class extends Base {
    mixed = k;
    who() {
      return `${super.toString()}${this.mixed}`;
    }
  };
class Mixed extends mixin(
  mixin(
    class {
      toString() {
        return 'root';
      }
    },
  ),
) {}
const literal = {
  __proto__: {
    inherited: 1,
    hello() {
      return `hello ${(this as any).name}`;
    },
  },
  name: 'literal',
  0: (x: number) => x,
  'with space'(x: number) {
    return x + k;
  },
  async *gen(x: number) {
    yield x;
  },
  get computedNow() {
    return this.name.length;
  },
  [`dyn${k}`](x: number) {
    return [this.name, x];
  },
};
class MetaStatic {
  static where = typeof import.meta.url;
  ok() {
    return 'ok';
  }
}
class OuterPrivate {
  static #k = 3;
  static Inner = class {
    static v = OuterPrivate.#k;
    read() {
      return 'inner';
    }
  };
}
class Accessors {
  accessor auto = 5;
  static accessor shared = 6;
}
class ParameterProperties {
  constructor(
    private readonly a: number,
    public b = a + k,
  ) {}
  sum() {
    return this.a + this.b;
  }
}
const properties = new ParameterProperties(4);
abstract class Shape {
  abstract area(): number;
  static of(n: number): Shape {
    return new (class Square extends Shape {
      area() {
        return n * n;
      }
    })();
  }
}
const square = Shape.of(3);
function Legacy(this: any, n: number) {
  if (!new.target) return new (Legacy as any)(n);
  this.n = n;
}
Legacy.prototype.get = function () {
  return this.n;
};
Legacy.of = (n: number) => new (Legacy as any)(n);
const legacy = Legacy.of(8);

export default closureJob('closures-adversary-classes', {
  'static blocks that capture each other': same((x) => [
    (Left as any).pair().tag,
    (Right as any).pair().tag,
    (Left as any).pair().pair() === Left,
    x,
  ]),
  'the name of a class expression': same((x) => [Named.name, Named.self() === Named, new Named().again(), x]),
  '#x in, private methods, accessors, static #x': same((x) => {
    const v = new Vault(x);
    v.n = x + 1;
    return [Vault.isOne(v), Vault.isOne({}), v.twice, Vault.made >= 2];
  }),
  'async arrows in class fields': async ({ rows }) => {
    const lambda = withFields.load;
    const shipped = await rows.mapAsync(lambda).collect();
    const each = await rows.mapAsync(async (x) => (await withFields.each(x).next()).value).collect();
    return [
      [shipped, each],
      [
        [
          [2, 1],
          [2, 2],
          [2, 3],
        ],
        [
          [2, 1],
          [2, 2],
          [2, 3],
        ],
      ],
    ];
  },
  'super in static methods': same((x) => [StaticHeir.who(), x]),
  'symbol members of all kinds': same((x) => {
    const s: any = new Symbols();
    return [
      s[SYM],
      (Symbols as any)[SYM],
      String(Object.prototype.toString.call(s)),
      +s + x,
      [...s],
      ('yes' as any) instanceof Symbols,
      typeof s[Symbol.asyncIterator],
      typeof s[Symbol.dispose],
    ];
  }),
  'a Date of an own class': same((x) => [stamp.label(), stamp.getTime() + x, stamp instanceof Stamp]),
  'boxed values of own classes': same((x) => [
    money.shown(),
    +money + x,
    text.shout(),
    text.length,
    `${text}`,
  ]),
  'a URL of an own class': same((x) => [link.short(), link.href, x]),
  'memory of an own class': same((x) => [[...new Uint8Array(bytes)], bytes.kind, bytes instanceof Bytes, x]),
  'a typed array with a tag of its own': same((x) => [vec.sum() + x, vec instanceof Vec, vec.length]),
  'collections of own classes': same((x) => [
    table.total() + x,
    table.get('a'),
    stack.peek(),
    stack.top,
    stack.length,
    stack instanceof Stack,
    stack.map((y) => y).constructor.name,
  ]),
  'a pattern that keeps its place': sameOf(() => {
    const fresh = () =>
      Object.assign(new Pattern(pattern.source, pattern.flags), { lastIndex: pattern.lastIndex });
    const own = fresh();
    return [
      (x) => {
        const p = Object.assign(new Pattern(own.source, own.flags), { lastIndex: own.lastIndex });
        return [p.test('aaa'), p.lastIndex, p.calls, own.lastIndex, x];
      },
    ];
  }),
  'errors with causes': same((x) => {
    const cause = failure.cause as AggregateError;
    return [
      failure.name,
      failure.code,
      failure.message,
      failure instanceof NotFound,
      failure.constructor.name,
      cause.errors.map(String),
      Object.keys(failure),
      Object.keys(cause),
      (failure.stack ?? '').length > 10,
      x,
    ];
  }),
  'a static that was deleted': same((x) => ['gone' in Deletable, Object.keys(Deletable), x]),
  'a patched prototype': same((x) => {
    const keys = [];
    for (const key in new Patched()) keys.push(key);
    return [new Patched().m(), (new Patched() as any).hidden(), keys, Object.keys(Patched), x];
  }),
  mixins: same((x) => [new Mixed().who(), new Mixed().mixed + x]),
  'an object literal with everything': same((x) => [
    literal[0](x),
    literal['with space'](x),
    (literal as any).hello(),
    (literal as any).inherited,
    literal.computedNow,
    (literal as any).dyn2(x),
    Object.keys(literal),
  ]),
  'import.meta in a static, whose value travels': same((x) => [MetaStatic.where, new MetaStatic().ok(), x]),
  'a private of an outer class in a static': same((x) => [
    OuterPrivate.Inner.v,
    new OuterPrivate.Inner().read(),
    x,
  ]),
  accessor: same((x) => {
    const a = new Accessors();
    a.auto += x;
    return [a.auto];
  }),
  'parameter properties': same((x) => [properties.sum() + x, new ParameterProperties(x).sum()]),
  'an instance of a class inside of a static method': same((x) => [
    square.area() + x,
    square.constructor.name,
    square instanceof Shape,
  ]),
  'classes as they were before 2015': same((x) => [
    legacy.get(),
    legacy instanceof Legacy,
    Legacy.of(x).get(),
    (Legacy as any)(x).n,
  ]),
  'methods that are bound twice': sameOf(() => {
    const o = {
      n: 5,
      add(a: number, b: number) {
        return [this?.n, a, b];
      },
    };
    const once = o.add.bind(o, 1);
    return [once, once.bind({ n: 6 }, 9), o.add.bind({ n: 7 }, k), (x) => [once(x), once.name, once.length]];
  }),
});
void domFailure;

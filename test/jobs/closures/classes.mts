// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { EventEmitter } from 'node:events';
import { perExecutor, TaskContext } from '@millrace/api';
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';

const SCALE = 2;
const effects: string[] = [];
abstract class Shape {
  static made = 0;
  constructor(public readonly name: string) {
    Shape.made++;
  }
  abstract area(): number;
  toString() {
    return `${this.name}:${this.area()}`;
  }
}
class Square extends Shape {
  constructor(public side: number) {
    super('square');
  }
  area() {
    return this.side ** 2 * SCALE;
  }
  clone(): Shape {
    return makeSquare(this.side);
  }
}
function makeSquare(side: number): Shape {
  return new Square(side);
}
class Node1 {
  kids: Node1[] = [];
  static create(kind: string): Node1 {
    return kind === 'b' ? new Node2() : new Node1();
  }
  who() {
    return 'one';
  }
}
class Node2 extends Node1 {
  override who() {
    return `two ${this instanceof Node1} ${super.who()}`;
  }
}
class Config {
  static limit = 5;
  static readonly started = effects.push('field');
  static {
    effects.push('block');
  }
  static [Symbol.for('millrace.test')] = 'by symbol';
  static name = 'mine';
  static over(x: number) {
    return x > Config.limit;
  }
}
Config.limit = 2;
let mixins = 0;
const counted = <B extends new (...args: any[]) => object>(Base: B) => {
  const serial = ++mixins;
  return class extends Base {
    serial = serial;
    static registry: string[] = [];
  };
};
class Mixed extends counted(Square) {
  both() {
    return this.serial * 100 + this.area();
  }
}
Mixed.registry.push('mixed');
let Parent: new () => { who(): string } = class {
  who() {
    return 'first parent';
  }
};
class Child extends Parent {}
Parent = class {
  who() {
    return 'second parent';
  }
};
class Money {
  #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents() {
    return this.#cents;
  }
  static has(x: object) {
    return #cents in x;
  }
  static [Symbol.for('millrace.serialize')](money: Money) {
    return { cents: money.#cents, config };
  }
  static [Symbol.for('millrace.deserialize')](data: { cents: number; config: unknown }) {
    return Object.assign(new Money(data.cents), { config: data.config });
  }
}
const config = { unit: 'EUR' };
const money = new Money(250);
class Secret {
  #n = 1;
  static #all = 5;
  #twice() {
    return this.#n * 2;
  }
  static count = () => Secret.#all;
  inc() {
    this.#n++;
    return this.#twice();
  }
}
class Temperature {
  constructor(public celsius: number) {}
  get fahrenheit() {
    return this.celsius * 1.8 + 32;
  }
  set fahrenheit(value) {
    this.celsius = (value - 32) / 1.8;
  }
}
const temperature = new Temperature(10);
class Stack<T> extends Array<T> {
  limit = 3;
  top() {
    return this.at(-1);
  }
}
const stack = Stack.from([1, 2]) as Stack<number>;
class Cache extends Map<string, number> {
  hits = 0;
  override get(key: string) {
    this.hits++;
    return super.get(key);
  }
}
const cache = new Cache([['a', 1]]);
class Tags extends Set<string> {
  constructor(readonly label: string) {
    super();
  }
}
const tags = new Tags('t').add('x');
class AppError extends TypeError {
  override name = 'AppError';
  constructor(
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`failed with ${code}`, options);
  }
}
const failure = new AppError('E1', { cause: new AppError('E0') });
class Vector extends Float64Array {
  norm() {
    return Math.hypot(...this);
  }
}
const vector = Vector.from([3, 4]) as Vector;
class Day extends Date {
  next() {
    return this.getUTCDate() + 1;
  }
}
const day = new Day(86_400_000);
const Anonymous = class {
  v() {
    return SCALE;
  }
};
const Named = class Inner {
  self() {
    return Inner.name;
  }
};
class Patched {
  greet() {
    return 'old';
  }
}
Patched.prototype.greet = function () {
  return `new ${SCALE}`;
};
Object.defineProperty(Patched.prototype, 'added', { get: () => SCALE, configurable: true });
const key = 'total';
class Computed {
  [key]() {
    return SCALE;
  }
  static [`${key}s`] = 2;
  *[Symbol.iterator]() {
    yield* [SCALE, SCALE];
  }
}
class Single {
  static instance: Single = new Single();
  id = 1;
  static get() {
    return Single.instance;
  }
}
class Chained {
  private items: number[] = [];
  add(x: number): this {
    this.items.push(x);
    return this;
  }
  get all() {
    return this.items;
  }
}
class Job {
  factor = 3;
  #secret = 4;
  context: unknown = new Promise(() => {});
  nested = { n: 1 };
  lambda() {
    return (x: number) => x * this.factor + this.#secret + this.nested.n;
  }
  inner() {
    return (x: number) => [x].map((y) => y * this.factor);
  }
}
class Plain {
  factor = 3;
  arrow = (x: number) => x + this.factor;
  scale(x: number) {
    return this.arrow(x) * this.factor;
  }
  viaMethod() {
    return (x: number) => this.scale(x);
  }
  static up(x: number) {
    return x + 1;
  }
  static viaThis(x: number) {
    return this.up(x);
  }
}
const plain = new Plain();
class Uses {
  static only = 1;
  touch() {
    return socket;
  }
}
const socket = new Promise(() => {});
class Pool extends EventEmitter {
  used = 0;
  constructor(public readonly size: number) {
    super();
  }
  take() {
    return ++this.used;
  }
}
const pools = { size: 4 };
const pool = perExecutor(() => new Pool(pools.size));
const slow = perExecutor(async () => new Pool(1));
const sealed = Object.freeze(new Temperature(1));
const frozenClass = Object.freeze(
  class Limits {
    static max = 3;
  },
);
class Sorted {
  static #by = (a: number, b: number) => b - a;
  static sort(list: number[]) {
    return list.toSorted(Sorted.#by);
  }
}

export default closureJob('closures-classes', {
  hierarchies: same((x) => [
    String(new Square(x)),
    String(makeSquare(x)),
    String((makeSquare(x) as Square).clone()),
    new Square(1) instanceof Shape,
    Object.getPrototypeOf(Square) === Shape,
  ]),
  'cycles of classes': same(() => [
    Node1.create('b').who(),
    new Node2().who(),
    Node1.create('b') instanceof Node2,
  ]),
  'statics by value': gives(
    (x) => [Config.over(x), Config.limit, Config.started, Config.name, effects.length],
    [false, 2, 1, 'mine', 2],
    [false, 2, 1, 'mine', 2],
    [true, 2, 1, 'mine', 2],
  ),
  'statics with symbols': same(() => Config[Symbol.for('millrace.test') as never]),
  'a superclass that a call made': same((x) => {
    const mixed = new Mixed(x);
    return [mixed.both(), mixed instanceof Square, Mixed.registry, mixins];
  }),
  'a superclass whose variable was re-assigned': same(() => new Child().who()),
  'instances and accessors': same((x) => {
    temperature.fahrenheit = 32 + 18 * x;
    return [temperature.celsius, temperature instanceof Temperature, Object.keys(temperature)];
  }),
  'the serialize protocol, and what its data shares': gives(
    () => [
      money.cents,
      Money.has(money),
      Money.has({}),
      (money as unknown as { config?: unknown }).config === config,
    ],
    [250, true, false, true],
  ),
  'private members of instances made there': same(() => [
    new Secret().inc(),
    Secret.count(),
    Sorted.sort([1, 3, 2]),
  ]),
  'arrays of a class, with fields': same((x) => {
    stack.push(x);
    return [
      stack.top(),
      stack.length,
      stack.limit,
      stack instanceof Stack,
      Array.isArray(stack),
      Object.keys(stack),
    ];
  }),
  'maps and sets of a class, with fields': same(() => [
    cache.get('a'),
    cache.hits,
    cache.size,
    cache instanceof Cache,
    [...tags],
    (tags as Tags).label,
  ]),
  'errors of a class': same(() => [
    failure.message,
    failure.code,
    failure.name,
    (failure.cause as AppError).code,
    failure instanceof AppError,
    failure instanceof TypeError,
    Object.keys(failure),
  ]),
  'typed arrays and dates of a class': same(() => [
    vector.norm(),
    vector.length,
    vector instanceof Vector,
    day.next(),
    day instanceof Day,
    day.getTime(),
  ]),
  'class expressions': same(() => [new Anonymous().v(), Anonymous.name, new Named().self(), Named.name]),
  'members that were replaced or added': same(() => [new Patched().greet(), (new Patched() as any).added]),
  'computed members': same(() => [new Computed()[key](), (Computed as any).totals, [...new Computed()]]),
  'a static instance of the class itself': same(() => [Single.get().id, Single.get() instanceof Single]),
  'methods that return this': same((x) => new Chained().add(x).add(SCALE).all),
  'this, narrowed to what is read': sameOf(() => [new Job().lambda(), new Job().inner()]),
  'this, whole, when a method is called': sameOf(() => [plain.viaMethod(), plain.arrow]),
  'static methods': sameOf(() => [Plain.up, (x) => Plain.viaThis(x)]),
  'methods that use what cannot ship, unused': same(() => [new Uses() instanceof Uses, Uses.only]),
  'methods that use what cannot ship, used': gives(() => {
    try {
      return typeof (new Uses().touch() as any).then;
    } catch (error) {
      return /`socket` is not available on an executor.*a Promise/.test((error as Error).message);
    }
  }, true),
  'classes of a lambda': same((x) => {
    class Local extends Square {
      static made = x;
      #p = SCALE;
      get() {
        return this.#p + this.side + Local.made;
      }
    }
    return new Local(x).get();
  }),
  'one class in all lambdas of a task': async ({ rows }) => [
    await rows
      .map((x) => new Square(x))
      .filter((s) => s instanceof Shape)
      .map((s) => s.area())
      .collect(),
    [2, 8, 18],
  ],
  'frozen instances and classes': same(() => [
    Object.isFrozen(sealed),
    sealed.celsius,
    Object.isFrozen(frozenClass),
    frozenClass.max,
  ]),
  perExecutor: gives(
    (x) => [pool().size, pool() instanceof EventEmitter, pool().take() === x, pool() === pool()],
    [4, true, true, true],
  ),
  'perExecutor, asynchronous': async ({ rows }) => [
    await rows.mapAsync(async () => [(await slow()).size, slow() === slow()]).collect(),
    [
      [1, true],
      [1, true],
      [1, true],
    ],
  ],
  'broadcasts and accumulators': async ({ rows, ssc }) => {
    const names = ssc.broadcast(new Map([[1, 'one']]));
    const seen = ssc.accumulator(0);
    const got = await rows.map((x) => (seen.add(x), names.value.get(x) ?? 'other')).collect();
    return [
      [got, seen.value],
      [['one', 'other', 'other'], 6],
    ];
  },
  'the task context': gives(() => TaskContext.get().partitionId, 0),
});

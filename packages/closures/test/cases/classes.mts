// biome-ignore-all lint: code as users write it, good and bad
// biome-ignore-all format: as above
// biome-ignore-all assist: as above
/* oxlint-disable */
import type { Cases } from '../harness.ts'
import { Geometry } from './lib/constants.mts'
const SCALE = 2, sideEffects: string[] = []
abstract class Shape { static made = 0; constructor(public name: string) { Shape.made++ } abstract area(): number; toString() { return this.name + ':' + this.area() } }
class Square extends Shape { constructor(public s: number) { super('sq') } area() { return this.s ** 2 * SCALE } clone() { return make(this.s) } }
function make(n: number): Shape { return new Square(n) }
class A { kids: A[] = []; static create(k: string): A { return k === 'b' ? new B() : new A() } who() { return 'A' } } class B extends A { override who() { return 'B' + (this instanceof A) + super.who() } }
class Cfg { static limit = 5; static log = sideEffects.push('init'); static { sideEffects.push('block') } static over(x: number) { return x > Cfg.limit } static sock: any } Cfg.limit = 2; Cfg.sock = new Promise(() => {})
class Job { factor = 3; #secret = 4; ssc: any = new Promise(() => {}); big = { n: 1 }
  lambda() { return (x: number) => x * this.factor + this.#secret + this.big.n }
  nested() { return (xs: number[]) => xs.map((x) => x * this.factor) }
  viaMethod() { return (x: number) => this.scale(x) }
  scale(x: number) { return x * this.factor }
  arrow = (x: number) => x + this.factor }
class Plain { factor = 3; arrow = (x: number) => x + this.factor; scale(x: number) { return this.arrow(x) * this.factor } viaMethod() { return (x: number) => this.scale(x) } static up(x: number) { return x + 1 } static viaThis(x: number) { return this.up(x) } }
class Money { #c: number; constructor(c: number) { this.#c = c } get cents() { return this.#c } static [Symbol.for('millrace.serialize')](m: Money) { return [m.#c] } static [Symbol.for('millrace.deserialize')](d: number[]) { return new Money(d[0]!) } static has(x: object) { return #c in x } }
class Self { static instance: Self = new Self(); id = 1; static get() { return Self.instance } }
class Temp { constructor(public c: number) {} get f() { return this.c * 2 } set f(v) { this.c = v / 2 } }
class Priv { #n = 1; inc() { return ++this.#n } static make() { return new Priv() } static #count = 5; static count() { return Priv.#count } }
const Anon = class { v() { return SCALE } }, Named = class Inner { self() { return Inner.name } }
const mixin = (Base: any) => class extends Base { mixed() { return 'm' + SCALE } }; const Mixed = mixin(Square)
class Patched { greet() { return 'old' } } Patched.prototype.greet = function () { return 'new' + SCALE }
class Uses { static only = 1; touch() { return socket } plain() { return 1 } } const socket = new Promise(() => {})
class Computed { ['a' + SCALE]() { return 1 } static ['s' + SCALE] = 2 }
class Generic<T> { private items: T[] = []; add(t: T) { this.items.push(t); return this } get all() { return this.items } }
enum Local { X = 1, Y = X << 2 }
const money = new Money(250), plain = new Plain(), temp = new Temp(10), shape = new Square(3), gen = new Generic<number>().add(1), job = new Job()
export default {
  'hierarchies': { run: ({ both }) => both((n: number) => [String(new Square(n)), String(make(n)), String((make(n) as Square).clone()), new Square(1) instanceof Shape], 2) },
  'an instance, its prototype and accessors': { run: ({ both }) => both(() => { temp.f = 30; return [shape.area(), shape instanceof Shape, temp.c, temp.f, gen.all, Object.keys(temp)] }) },
  'class cycles': { run: ({ both }) => both((k: string) => [A.create(k).who(), new B().who()], 'b') },
  'class cycle from the other end': { run: ({ both }) => both(() => [new B().who(), B.create('b') instanceof B]) },
  'statics by value, initialisers not run again': { run: ({ both }) => { sideEffects.length = 0; return both((x: number) => [Cfg.over(x), Cfg.limit, Cfg.log, sideEffects.length], 3) } },
  'a static instance of the class itself': { run: ({ both }) => both(() => [Self.get().id, Self.get() instanceof Self, Self.instance === Self.get()]) },
  'this is narrowed to what is read': { run: async ({ both }) => both(job.lambda(), 2) },
  'this is narrowed in nested arrows': { run: async ({ both }) => both(job.nested(), [1, 2]) },
  'this is captured whole when a method is called': { run: async ({ both }) => both(plain.viaMethod(), 2) },
  'arrow fields': { run: async ({ both }) => both(plain.arrow, 2) },
  'static methods by reference': { run: async ({ ship }) => [await ship(Plain.up)(1), await ship((x: number) => Plain.viaThis(x))(2)], expect: [2, 3] },
  'the serialize protocol': { run: ({ both }) => both(() => [money.cents, money instanceof Money, Money.has(money), Money.has({})]) },
  'private members of classes made there': { run: ({ both }) => both(() => [Priv.make().inc(), Priv.count()]) },
  'anonymous and named expressions, mixins': { run: ({ both }) => both(() => [new Anon().v(), Anon.name, new Named().self(), new Mixed(2).mixed(), new Mixed(2).area()]) },
  'replaced prototype members': { run: ({ both }) => both(() => new Patched().greet()) },
  'computed members': { run: ({ both }) => both(() => [(new Computed() as any).a2(), (Computed as any).s2]) },
  'what only an unused method needs is no obstacle': { run: ({ ship }) => ship(() => [new Uses().plain(), Uses.only])(), expect: [1, 1] },
  'poison says why': { run: async ({ ship }) => { try { await ship(() => (new Uses().touch() as any).then)(); return 'no error' } catch (e: any) { return /`socket` is not available on an executor.*used by Uses at .*a Promise/.test(e.message) || e.message } }, expect: true },
  'local enums and namespaces': { run: ({ both }) => both(() => [Local.Y, Local[4], Geometry.PI2]) },
  'classes defined inside a lambda': { run: ({ both }) => both((x: number) => { class In extends Square { static z = x; #p = SCALE; get() { return this.#p + this.s + In.z } } return new In(x).get() }, 3) },
} satisfies Cases

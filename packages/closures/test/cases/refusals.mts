// biome-ignore-all lint: code as users write it, good and bad
// biome-ignore-all format: as above
// biome-ignore-all assist: as above
/* oxlint-disable */
import type { Cases } from '../harness.ts'
import net from 'node:net'
import { AsyncLocalStorage } from 'node:async_hooks'
import { memoize } from 'vendor'
const db = { name: 'x', conn: new net.Socket() }, promise = Promise.resolve(1), weak = new WeakMap(), proxy = new Proxy({}, {}), unique = Symbol('u')
const list = [{ a: new Map([['k', promise]]) }], als = new AsyncLocalStorage()
const helper = (x: number) => save(x), save = (x: number) => { db.conn.write(String(x)); return x }
let counter = 0; const memo = memoize((x: number) => x), fromEval = new Function('x', 'return x + 1')
class Vault { #k = 1; get() { return this.#k } } const vault = new Vault()
class Opener { #k = 1; lambda() { return (o: Opener) => o.#k } inn() { return (o: object) => #k in o } }
function usesArguments(..._a: unknown[]) { return (x: number) => x + arguments.length }
function UsesNewTarget() { return () => new.target }
class Base { m() { return 1 } } class Derived extends Base { lambda() { return () => super.m() } }
const meta = () => import.meta.url, withEval = () => eval('counter')
const dec = (c: any, _ctx?: any) => c; @dec class Decorated { m() { return 1 } }
const superObj = { __proto__: { m() { return 1 } }, m() { return super.m() } } as any
const deepWrite = { f: (x: number) => { const g = () => { counter = x }; g() } }
;(globalThis as any).userGlobal = memoize((x: number) => x); const h = (globalThis as any).userGlobal
const dyn = async () => (await import('./lib/constants.mts')).UNIT
class Foreign extends (null as any ?? net.Server) {}
const iterator = [1][Symbol.iterator](), generator = (function* () { yield 1 })(), throwing = { get x() { throw new Error('boom') } }
async function awaitsInClass() { class K { [await Promise.resolve('m')]() { return 1 } } return () => new K() }
const refuse = (make: (h: any) => unknown, refuses: RegExp) => ({ run: async (h: any) => h.refusal(await make(h)), refuses })
export default {
  'socket in an object': refuse(() => (x: number) => db.conn.write(String(x)), /^CLOSURE_CAPTURE: lambda at test\/cases\/refusals\.mts:\d+:\d+ cannot be shipped to executors\n  captured `db` → `db\.conn` is a Socket: it owns process-local state[^]*-- declared here[^]*> \d+ \|[^]*\^\^ captured here[^]*fix: .*const db = perExecutor/),
  'through helpers': refuse(() => (x: number) => helper(x), /captured `db` → `db\.conn`[^]*reached through: lambda \(.*\) → helper \(.*\) → save \(/),
  'counter++': refuse(() => (x: number) => { counter++; return x }, /^CLOSURE_WRITES_CAPTURE: [^]*assigns to `counter`[^]*assigned here[^]*const counter = ssc\.accumulator\(0\)/),
  'destructuring write': refuse(() => (x: number) => { [counter] = [x] }, /^CLOSURE_WRITES_CAPTURE/),
  'write in a nested function': refuse(() => deepWrite.f, /^CLOSURE_WRITES_CAPTURE/),
  'for-of write': refuse(() => () => { for (counter of [1]); }, /^CLOSURE_WRITES_CAPTURE/),
  'promise': refuse(() => () => promise, /^CLOSURE_CAPTURE: [^]*`promise` is a Promise: [^]*await/),
  'deep path': refuse(() => () => list, /`list` → `list\[0\]\.a\.get\("k"\)` is a Promise/),
  'weak map': refuse(() => () => weak, /weak collections/),
  'proxy': refuse(() => () => proxy, /a Proxy cannot be read/),
  'unique symbol': refuse(() => () => unique, /^CLOSURE_CAPTURE: [^]*unique symbol[^]*Symbol\.for/),
  'iterator': refuse(() => () => iterator, /iterator that is under way/),
  'generator': refuse(() => () => generator, /generator that is under way/),
  'throwing getter': refuse(() => () => throwing, /^CLOSURE_CAPTURE: [^]*`throwing` is an Object: its getter `x` threw: boom/),
  'npm-made closure': refuse(() => memo, /^CLOSURE_UNTRANSFORMED: [^]*npm package/),
  'npm-made closure, captured': refuse(() => (x: number) => memo(x), /^CLOSURE_CAPTURE: [^]*`memo` is function .*created inside an npm package/),
  'new Function': refuse(() => fromEval, /^CLOSURE_UNTRANSFORMED: .*by eval/),
  'a global that the user made': refuse(() => (x: number) => h(x), /created inside an npm package/),
  'native made at run time': refuse(() => ((f: any) => f['bind'](null))(helper), /^CLOSURE_UNTRANSFORMED: [^]*native or bound/),
  'instance with #private': refuse(() => () => vault.get(), /class Vault has #private fields/),
  '#private of an outer class': refuse(() => new Opener().lambda(), /^CLOSURE_NOT_SHIPPABLE: .*private field `#k`/),
  '#private in, of an outer class': refuse(() => new Opener().inn(), /^CLOSURE_NOT_SHIPPABLE: .*private field `#k`/),
  'arguments': refuse(() => usesArguments(1), /^CLOSURE_NOT_SHIPPABLE: .*`arguments`[^]*rest parameter/),
  'new.target': refuse(() => (UsesNewTarget as any)(), /`new\.target`/),
  'super': refuse(() => new Derived().lambda(), /`super`/),
  'super in an object method': refuse(() => superObj.m, /^CLOSURE_UNTRANSFORMED|`super`/),
  'import.meta': refuse(() => meta, /^CLOSURE_NOT_SHIPPABLE: .*`import\.meta`/),
  'eval': refuse(() => withEval, /`eval`/),
  'decorated class': refuse(() => () => new Decorated(), /decorated class/),
  'use before initialisation': { run: ({ refusal }: any) => { const text = refusal(() => later); const later = 1; return text + later }, refuses: /^CLOSURE_USE_BEFORE_INIT: .*Cannot access 'later'[^]*> \d+ \|[^]*here[^]*move the declaration/ },
  'own module imported at run time': refuse(() => dyn, /imports one of your own modules at run time/),
  'context': refuse(({ forbidden }) => { const ssc = forbidden('StreamingContext'); return () => ssc }, /captured `ssc` is a StreamingContext: the StreamingContext exists only on the driver[^]*fix: collect/),
  'context inside this': refuse(({ forbidden }) => new (class J { ssc = forbidden('RDD'); go() { return () => this.run() } run() { return 1 } })().go(), /captured `this` → `this\.ssc` is an RDD/),
  'instance of a node class': refuse(() => () => als, /^CLOSURE_CAPTURE: [^]*AsyncLocalStorage/),
  'subclass of a server': refuse(() => { const f = new Foreign(); return () => f }, /process-local state/),
  'await in a class head': refuse(awaitsInClass, /awaits while the class/),
  'not a function': refuse(() => 5, /^CLOSURE_NOT_SHIPPABLE: .*not number/),
  'bound argument': refuse(() => helper.bind(null, promise as any), /^CLOSURE_CAPTURE: [^]*a Promise[^]*`db\.conn` is a Socket/),
  'large capture warns': { run: ({ capture }: any) => { const table = new Uint8Array(2_000_000); return ((w: any) => `${w.what}: ${w.fix}`)(capture(() => table.length).warnings()[0]) }, refuses: /captures 1\.9 MB, most of it in `table`: broadcast it:  const shared = ssc\.broadcast\(table\)/ },
} satisfies Cases

// biome-ignore-all lint: code as users write it, good and bad
// biome-ignore-all format: as above
// biome-ignore-all assist: as above
/* oxlint-disable */
import type { Cases } from '../harness.ts'
import { perExecutor } from '@millrace/closures'
import { EventEmitter } from 'node:events'
import { even as evenA } from './lib/even.mts'
import { counter } from './lib/counter.mts'

const k = 2, wait = (t: number) => new Promise((r) => setTimeout(r, t))
const fact = (n: number): number => n <= 1 ? 1 : n * fact(n - 1)
function fib(n: number): number { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
const isEven = (n: number): boolean => n === 0 || isOdd(n - 1), isOdd = (n: number): boolean => n !== 0 && isEven(n - 1)
function even(n: number): boolean { return n === 0 || odd(n - 1) } function odd(n: number): boolean { return n !== 0 && even(n - 1) }
const three = { a: (n: number): number => n <= 0 ? 0 : b(n - 1) }, b = (n: number): number => n <= 0 ? 1 : c(n - 1); function c(n: number): number { return n <= 0 ? 2 : three.a(n - 1) }
const counted = Object.assign((x: number) => x + counted.off, { off: 9 })
const plus1 = (x: number) => x + 1; const plus2 = Object.assign((x: number) => x + 2, plus1); const plus3 = Object.assign(function (x: number) { return x + 3 }, plus2)
const names = { 'a-b': (x: number) => x + 1, 3: (x: number) => x * 2, class: (x: number) => x - 1, __proto__: null as any }
const globals = { parseInt: (x: string) => parseInt(x) + 1, String: (x: any) => String(x) + '!' }
const obj = { base: 5, m(x: number) { return x + k }, async am(x: number) { return x + k }, *gm(n: number) { for (let i = 0; i < n; i++) yield i * k }, async *agm(n: number) { yield n; await wait(1); yield n * k }, get g() { return k * 10 }, viaThis() { return this.base + k }, 'x y'(n: number) { return n + k }, 7(n: number) { return n * k } }
const tag = (s: TemplateStringsArray, ...v: any[]) => s.raw.join('|') + v.join(',')
function hoistTest(x: number) { return later(x) ; function later(y: number) { return y * k + deep() } function deep() { return 100 } }
function reassigned(x: number) { return x } ; (reassigned as any) = (x: number) => x * 100
function dup(x: number) { function inner() { return 1 } function inner() { return x } return inner } 
function Point(this: any, x: number) { this.x = x } ; Point.prototype.double = function () { return this.x * 2 }
const size = 4; class Pool extends EventEmitter { n = 0; constructor(public size: number) { super() } next() { return ++this.n } }
const pool = perExecutor(() => new Pool(size)), slow = perExecutor(async () => { await wait(1); return new Pool(1) })
let attempts = 0; const state = { fails: 1 }
const flaky = perExecutor(() => { const g = globalThis as any; g.tries = (g.tries ?? 0) + 1; if (g.tries === 1) throw new Error('first'); return g.tries })
class Res { [Symbol.dispose]() { log.push('d') } } const log: string[] = []
const bound = ((a: number, z: number) => a * 10 + z).bind(null, 4)
const boundParen = (function (this: any, z: number) { return this.q + z }).bind({ q: 7 })
const Fn = (x: number) => x, F = 3, I = 4, $0 = 5, $values = 6, v = 7
const late2 = (n: number): number => n <= 0 ? $values0 : later2(n - 1); const $values0 = 11; const later2 = (n: number): number => late2(n - 1)
const bcyc: any = { n: 3 }; const bf = ((x: number) => x + bcyc.n + (bcyc.f ? 1 : 0)).bind(null); bcyc.f = bf
const gen = function* self(n: number): Generator<number> { if (n > 0) { yield n; yield* self(n - 1) } }
const failing = (x: number): never => {
  if (x > 0) throw new Error('no ' + x); throw x }
function thrower(x: number) { return [x].map((y) => y + 1) && failing(x) }
const ouroboros: any = perExecutor(() => ({ n: 7, again: () => ouroboros().n }))
export default {
  'recursion': { run: async ({ both }) => both((x: number) => [fact(x), fib(x), isEven(x), isOdd(x), even(x), odd(x), three.a(x), b(x), c(x)], 5) },
  'recursion across modules': { run: ({ both }) => both(evenA, 7) },
  'recursion, the root itself in the cycle': { run: async ({ both }) => both(isEven, 7) },
  'recursion, declarations as root': { run: async ({ both }) => both(odd, 7) },
  'mutual, with a name like ours': { run: ({ both }) => both(late2, 5) },
  'cycle through a bound function': { run: ({ both }) => both(bf, 1) },
  'named generator expression': { run: ({ ship }) => ship(gen)(3), expect: [3, 2, 1] },
  'async, generator, async generator': { run: async ({ ship }) => [await ship(async (x: number) => { await wait(1); return x * k })(2), await ship(function* (n: number) { for (let i = 0; i < n; i++) yield i * k })(2), await ship(async function* (n: number) { yield n; await wait(1); yield n * k })(2)], expect: [4, [0, 2], [2, 4]] },
  'object methods of all kinds': { run: async ({ ship }) => [await ship(obj.m)(1), await ship(obj.am)(1), await ship(obj.gm)(2), await ship(obj.agm)(2), await ship(() => obj.viaThis() + obj.g)(), await ship(obj['x y'])(1), await ship(obj[7])(3)], expect: [3, 3, [0, 2], [2, 4], 27, 3, 6] },
  'own properties on functions': { run: ({ both }) => both((x: number) => counted(x) + counted.off, 1) },
  'Object.assign does not copy the tag': { run: async ({ ship }) => [await ship(plus2)(1), await ship(plus3)(1)], expect: [3, 4] },
  'names are kept': { run: ({ both }) => both(() => [fact.name, fib.name, obj.m.name, names['a-b'].name, names[3].name, names.class.name, Pool.name, gen.name]) },
  'keys named like globals': { run: async ({ ship }) => [await ship(globals.parseInt)('4'), await ship(globals.String)(1)], expect: [5, '1!'] },
  'names that the lifted module might have': { run: ({ both }) => both(() => [Fn(1), F, I, $0, $values, v]) },
  'tagged templates and optional chains': { run: ({ both }) => both((x: number) => [tag`a${x}b`, (obj as any).m?.(x), (obj as any).nope?.(x) ?? null, (obj as any)?.['m'](x), `${x}${`${k}`}`], 1) },
  'default and destructured parameters': { run: ({ both }) => both(({ a = k, [names.class.name]: z = fact(3), ...rest }: any, w = z + k, [q, ...r] = [a, z]) => [a, z, w, q, r, rest], { b: 1 }) },
  'loops': { run: async ({ ship }) => { const fs: any[] = [], gs: any[] = [], hs: any[] = []; for (let i = 0; i < 3; i++) fs.push((x: number) => x + i); for (const s of ['a', 'b']) gs.push((x: string) => x + s); for (var j = 0; j < 3; j++) hs.push((x: number) => x + j); return [await Promise.all(fs.map((f) => ship(f)(10))), await Promise.all(gs.map((f) => ship(f)('x'))), await Promise.all(hs.map((f) => ship(f)(10)))] }, expect: [[10, 11, 12], ['xa', 'xb'], [13, 13, 13]] },
  'hoisting': { run: ({ both }) => both(hoistTest, 3) },
  'a re-assigned declaration': { run: ({ both }) => both((x: number) => reassigned(x), 2) },
  'a declaration that is declared twice': { run: ({ both }) => both(dup(5)) },
  'constructor functions': { run: ({ both }) => both((x: number) => new (Point as any)(x).double(), 4) },
  'nested three deep': { run: async ({ ship }) => { const a = 1, f = (b: number) => (c: number) => (d: number) => [a, b, c, d, k]; return [await ship(f(2)(3))(4), await ship((x: number) => f(x)(x)(x))(3)] }, expect: [[1, 2, 3, 4, 2], [1, 3, 3, 3, 2]] },
  'nested lambdas in lambdas': { run: ({ both }) => both((xs: number[]) => xs.map((x) => { const g = (y: number) => y * k + x; return g(x) }), [1, 2]) },
  'shadowing': { run: ({ both }) => both((k: number) => { const out = [k]; { const k = 5; out.push(k, ((k) => k)(6)) } for (const k of [7]) out.push(k); try { throw 8 } catch (k: any) { out.push(k) } const { fact } = { fact: 9 }; out.push(fact); class fib { static k = k } out.push(fib.k); switch (1) { case 1: { const isEven = 10; out.push(isEven) } } return out }, 1) },
  'labels, switch scopes, typeof undeclared': { run: ({ both }) => both((x: number) => { let out = 0; outer: for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) { if (j === 2) continue outer; if (i === 2) break outer; out += i * 3 + j } switch (x) { case 1: let k = 5; out += k; break; default: out += 1 } return [out, typeof undeclaredThing, typeof k, { k, fact }.k] }, 1) },
  'closures from switch and catch': { run: async ({ ship }) => { const f = (x: number) => { switch (x) { case 1: { const q = (y: number) => y + k; return q } default: return (y: number) => y - k } }; let r: any; try { throw { k: 9 } } catch (e: any) { const q = 1; r = ship((x: number) => x + e.k + q) } return [await ship(f(1))(5), await ship(f(2))(5), await r(1)] }, expect: [7, 3, 11] },
  'conditional, logical, IIFE': { run: async ({ ship }) => { const f = k > 1 ? (x: number) => x + 1 : (x: number) => x - 1; const g = ((k) => (x: number) => x * k)(4); let h: any; h ??= (x: number) => x + 0.5; return [await ship(f)(1), await ship(g)(2), await ship(h)(3)] }, expect: [2, 8, 3.5] },
  'bind, also of a parenthesised function': { run: async ({ ship }) => [await ship(bound)(2), await ship(boundParen)(1), await ship([1, 2].includes.bind([3]))(3), ({ bind: (x: number) => x + 1 }).bind(4)], expect: [42, 8, true, 5] },
  'writes to inner variables are fine': { run: ({ both }) => both((x: number) => { let n = 0; const add = () => { n += x; [n] = [n + 1]; ({ n } = { n: n * 2 }); for (n of [n + 1]); n++ ; return n }; return add() }, 2) },
  'using': { run: ({ both }) => both(() => { log.length = 0; { using r = new Res(); void r } return log.join('') }) },
  'perExecutor, sync and async': { run: async ({ ship, slotPid }) => { const f = ship(() => [pool().next(), pool().size, process.pid]); const a = await f() as number[], b2 = await f() as number[]; const g = ship(async () => [(await slow()).next(), pool().next()]); return [a[0], b2[0], a[1], a[2] === slotPid(), await g(), await g()] }, expect: [1, 2, 4, true, [1, 3], [2, 4]] },
  'perExecutor that fails is tried again': { run: async ({ ship }) => { const f = ship(() => flaky()); let first = ''; try { await f() } catch (e: any) { first = e.message } return [first, await f(), await f()] }, expect: ['first', 2, 2] },
  'a module that begins with use executor': { run: async ({ ship, slotPid }) => { const f = ship(() => [counter.next(), counter.pid]); const a = await f() as number[], b2 = await f() as number[]; return [b2[0]! - a[0]!, a[1] === slotPid(), counter.n] }, expect: [1, true, 0] },
  'await inside an async IIFE': { run: async ({ ship }) => (async () => { const q = await Promise.resolve(3); return ship((x: number) => x + q)(1) })(), expect: 4 },
  'closures in containers': { run: ({ both }) => { const table = new Map([['inc', (x: number) => x + k], ['dec', (x: number) => x - k]]), arr = [fact, (x: number) => table.get('inc')!(x)]; return both((x: number) => [table.get('dec')!(x), arr[0]!(x), arr[1]!(x)], 4) } },
  'the same function has the same bytes': { run: ({ capture }) => { const mk = (n: number) => (x: number) => x + n; return [capture(mk(1)).hash === capture(mk(1)).hash, capture(mk(1)).hash === capture(mk(2)).hash, capture(mk(1)).bytes.length < 60] }, expect: [true, false, true] },
  'a factory that calls its own getter': { run: async ({ ship }) => ship(() => ouroboros().again())(), expect: 7 },
  'stacks point into the source': { run: async ({ stackOf }) => { const stack = await stackOf((x: number) => thrower(x), 1); return [stack.split('\n').slice(0, 3).map((line) => line.trim()), /slot-process|reviver|closures\.mjs/.test(stack.replace(/at answer.*/, ''))] }, expect: [['Error: no 1', 'at failing (test/cases/functions.mts:39:20)', 'at thrower (test/cases/functions.mts:40:63)'], false] },
  'labels': { run: ({ capture }) => capture(plus1).label, expect: 'test/cases/functions.mts:18:15' },
} satisfies Cases
void attempts, state

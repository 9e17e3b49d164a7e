// biome-ignore-all lint: code as users write it, good and bad
// biome-ignore-all format: as above
// biome-ignore-all assist: as above
/* oxlint-disable */
import type { Cases } from '../harness.ts'
import { UNIT, Color, Level, live, setLive, config, Geometry } from './lib/constants.mts'
import { makeMapper, compose, renamed, base } from './lib/mappers.mts'
import inc from './lib/mappers.mts'
import * as mappers from './lib/mappers.mts'
import * as constants from './lib/constants.mts'
import { mk, plus, M, UNIT as BARREL_UNIT } from './lib/barrel.mts'
import data from './lib/data.json' with { type: 'json' }
import { Decimal, first, memoize } from 'vendor'
import vendor from 'vendor'
import { createHash } from 'node:crypto'
import * as nodePath from 'node:path'

const threshold = 2, cfg = { k: { deep: [1, 2, 3] } }
const map = new Map([['a', new Set([1, 2])]]), date = new Date(86400000), buffer = Buffer.from('hi'), floats = new Float64Array([1.5, 2.5])
const re = /h(.)/u, big = 12n, undef = undefined, nan = NaN, url = new URL('http://x.y/z'), negZero = -0, lone = '\ud800x', emoji = 'é😀'
const sparse = [1, , 3] as any, nul = Object.assign(Object.create(null), { q: 1 }), frozen = Object.freeze({ get a() { return 5 }, b: 1 })
const registered = Symbol.for('kk'), iter = Symbol.iterator
const cyc: any = { n: 1 }; cyc.self = cyc; const holder = { cyc, f: () => cyc.n }; const shared = [cyc, holder.cyc]
class MyMap extends Map<string, number> { total() { let t = 0; for (const v of this.values()) t += v; return t } }
class MyError extends TypeError { constructor(public code: string) { super('bad ' + code) } }
class Stack<T> extends Array<T> { top() { return this[this.length - 1] } }
const mm = new MyMap([['a', 1], ['b', 2]]), me = new MyError('E1'), st = Stack.from([1, 2, 3]) as Stack<number>
let list: any = null; for (let i = 0; i < 50000; i++) list = { next: list }
const boxed = Object(3), dv = new DataView(new Uint8Array([1, 2, 3]).buffer), u8 = new Uint8Array([1, 2, 3]).subarray(1), ab = new Uint8Array([9, 8]).buffer
const err = new RangeError('r', { cause: { a: 1 } })
const odd = { ['__proto__']: 7, 'a b': 1, 5: 2 }
export default {
  'numbers and objects': { run: async ({ ship }) => [await ship((x: number) => x > threshold)(3), await ship((x: number) => x * cfg.k.deep[1]!)(4)], expect: [true, 8] },
  'builtins': { run: ({ ship }) => ship(() => [map.get('a')!.has(2), map instanceof Map, date.getTime(), date instanceof Date, buffer.toString(), Buffer.isBuffer(buffer), floats[1], re.exec('hi')![1], String(big + 1n), undef === undefined, Number.isNaN(nan), url.hostname, Object.is(negZero, -0), lone.length, lone.charCodeAt(0), emoji])(), expect: [true, true, 86400000, true, 'hi', true, 2.5, 'i', '13', true, true, 'x.y', true, 2, 0xd800, 'é😀'] },
  'sparse, null prototype, getters, frozen, symbols': { run: ({ ship }) => ship(() => [frozen.a + frozen.b, nul.q, Object.getPrototypeOf(nul), sparse.length, 1 in sparse, sparse[2], registered === Symbol.for('kk'), iter === Symbol.iterator])(), expect: [6, 1, null, 3, false, 3, true, true] },
  'identity and cycles': { run: ({ ship }) => ship(() => [cyc.self === cyc, holder.f(), shared[0] === shared[1], cyc.self.self.n])(), expect: [true, 1, true, 1] },
  'subclassed builtins': { run: ({ both }) => both(() => [mm.total(), mm.size, mm instanceof MyMap, me.message, me.code, me instanceof MyError, me instanceof TypeError, st.top(), st.length, st instanceof Stack]) },
  'a list of 50,000 links': { run: ({ both }) => both(() => { let n = 0; for (let l = list; l; l = l.next) n++; return n }) },
  'boxed, views, array buffers, errors with cause': { run: ({ both }) => both(() => [boxed + 1, typeof boxed, dv.getUint8(1), [...u8], u8.byteOffset >= 0, new Uint8Array(ab)[1], err.message, err instanceof RangeError, (err.cause as any).a, typeof err.stack]) },
  'encoders and formatters': { run: ({ both }) => { const enc = new TextEncoder(), dec = new TextDecoder('utf-16le'), money = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' }), day = new Intl.DateTimeFormat('en', { timeZone: 'UTC', dateStyle: 'long' }), q = new URLSearchParams('a=1&b=2'); return both(() => [[...enc.encode('é')], dec.decode(new Uint8Array([65, 0])), money.format(1234.5), day.format(date), q.get('b')]) } },
  'odd keys': { run: ({ both }) => both(() => [Object.keys(odd), (odd as any)['__proto__'], odd['a b'], odd[5]]) },
  'helper modules, renamed and default exports': { run: async ({ both }) => both((x: number) => [makeMapper(3)(x), compose(renamed, inc)(x), base('/a/b')], 1) },
  'a mapper made by a helper': { run: ({ ship }) => ship(makeMapper(3))(2), expect: 60 },
  'composed helpers': { run: ({ ship }) => ship(compose(renamed, inc))(50), expect: 1040 },
  'enums, const enums, namespaces of another module': { run: ({ both }) => both((x: number) => [UNIT * x, Color.Red, Level.High, Geometry.area(2), config.limit], 2) },
  'namespace import': { run: ({ both }) => both(() => [constants.UNIT, constants.Color.Blue, constants.config.limit]) },
  'namespace as value': { run: ({ both }) => both(() => { const n: any = mappers; return [n.default(1), n.makeMapper(2)(3), Object.keys(n).toSorted()] }) },
  'live binding': { run: ({ ship }) => { setLive(42); return ship((x: number) => x + live)(1) }, expect: 43 },
  'json and barrels': { run: ({ ship }) => ship((x: number) => [plus(x), mk(2)(x), data.w[2], BARREL_UNIT, M.colorOf(3)])(1), expect: [1001, 20, 3, 10, 'red'] },
  'node modules': { run: ({ ship }) => ship(() => [createHash('md5').update('x').digest('hex').slice(0, 4), nodePath.join('a', 'b')])(), expect: ['9dd4', 'a/b'] },
  'intrinsics as values': { run: async ({ ship }) => { const parse = JSON.parse; return [await ship(Number)('3'), await ship(Math.sqrt)(9), await ship((s: string) => parse(s))('[1]'), await ship(String.prototype.toUpperCase.call.bind(String.prototype.toUpperCase))('a'), await ship(nodePath.basename)('/a/b')] }, expect: [3, 3, [1], 'A', 'b'] },
  'broadcast and accumulator': { run: async ({ ship, broadcast, accumulator }) => { const table = broadcast(new Map([[1, 'one']])), seen = accumulator(); const f = ship((x: number) => { seen.add(2); return (table.value as Map<number, string>).get(x) }); const r = [await f(1), await f(1)]; return [r, seen.value] }, expect: [['one', 'one'], 4] },
  'a private copy each time': { run: async ({ ship }) => { const hist = new Map<string, number>(); const note = (k: string) => { hist.set(k, (hist.get(k) ?? 0) + 1); return hist.get(k) }; const f = ship(note); return [await f('a'), await f('a'), hist.size] }, expect: [1, 1, 0] },
  'captured at the call, not later': { run: async ({ ship }) => { let t = 1; const f = (x: number) => x * t; const a = ship(f); t = 5; const b = ship(f); t = 9; return [await a(1), await b(1)] }, expect: [1, 5] },
  'top level is not run again': { run: ({ ship }) => ship(() => (globalThis as any).hits ?? null)(), expect: null },
  'package functions and instances': { run: async ({ both, ship }) => { const d = new Decimal('0.5'); return [await both((x: number) => [d.plus(x).toString(), d instanceof Decimal, first([x]), vendor.first([x]), memoize((y: number) => y + x)(1)], 1), await ship(first)([4]), await ship(vendor.first)([5])] }, expect: [[['1.5', true, 1, 1, 2], ['1.5', true, 1, 1, 2]], 4, 5] },
  'dynamic import of a package': { run: ({ ship }) => ship(async () => (await import('node:os')).EOL)(), expect: '\n' },
} satisfies Cases
;(globalThis as any).hits = ((globalThis as any).hits ?? 0) + 1

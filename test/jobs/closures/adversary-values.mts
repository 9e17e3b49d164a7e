// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';

const keyObject = { id: 1 };
const byObject = new Map<object, string>([[keyObject, 'found']]);
const other = { nested: { again: keyObject } };
const cyclic: any = { name: 'c' };
cyclic.self = cyclic;
cyclic.f = () => cyclic;
cyclic.list = [cyclic.f, { g: () => cyclic.list }];
const shared = new ArrayBuffer(16);
const doubles = new Float64Array(shared);
const bits = new Uint8Array(shared, 8, 8);
const backing = new DataView(shared, 4, 8);
const deep = (() => {
  let at: any = { end: true };
  for (let i = 0; i < 10_000; i++) at = { at };
  return at;
})();
const deepClosures = (() => {
  let f: () => number = () => 0;
  for (let i = 0; i < 50_000; i++) {
    const before = f;
    f = () => (i < 0 ? before() : i);
  }
  return f;
})();
const linked = (() => {
  let node: any = { next: () => undefined, n: 0 };
  for (let i = 1; i < 10_000; i++) {
    const before = node;
    node = { next: () => before, n: i };
  }
  return node;
})();
const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]));
const lone = '\ud800a\udfff';
const loneKey = { '\ud800': 1 };
const numbers = [-0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 31), 0.1, 5e-324, 1e308];
const bigs = [0n, -1n, 2n ** 64n, -(2n ** 70n)];
const bigArray = new BigInt64Array([1n, -(2n ** 63n)]);
const frozen = Object.freeze({ a: Object.freeze([1]), b: { c: 1 } });
const sealed = Object.seal({ a: 1 });
const fixed = Object.preventExtensions([1, 2]);
const nothing = Object.assign(Object.create(null), { a: 1, toString: 'mine', __proto__: 5 });
const described = Object.defineProperties({} as any, {
  hidden: { value: 1 },
  shown: { value: 2, enumerable: true },
  computed: { get: () => 3, enumerable: true },
});
const holes = [, 1, , undefined, ,];
const named: any = [1, 2];
named.label = 'list';
named[-1] = 'minus';
const protoKey = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "hasOwnProperty": 2}');
const sticky = /a(?<name>.)/dgsuy;
sticky.lastIndex = 2;
const mapOfMaps = new Map<any, any>();
mapOfMaps.set(mapOfMaps, new Set([mapOfMaps]));
mapOfMaps.set(NaN, 'nan').set(-0, 'zero');
const heir = Object.create(
  {
    base: 1,
    say() {
      return (this as any).own;
    },
  },
  { own: { value: 'own', enumerable: true } },
);
const dates = [new Date(NaN), new Date(8.64e15)];
const boxed = [Object(1n), Object('s'), Object(false), Object(-0)];
const weird = { '': 1, ' ': 2, 'a-b': 3, 1: 4, '01': 5, [Symbol.for('s')]: 6 };
const many = new Set(Array.from({ length: 1000 }, (_, i) => `s${i}`));
const intl = [
  new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }),
  new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'full' }),
  new Intl.PluralRules('pl'),
] as const;
const intrinsics = [
  Math.max,
  Array.prototype.slice,
  Object,
  JSON,
  Math,
  Reflect.ownKeys,
  Number.parseInt,
  parseInt,
  Symbol.iterator,
  Promise,
  Map.prototype,
  globalThis,
  console.log,
  Intl.Collator,
  Uint8Array.from,
  Buffer.from,
  structuredClone,
  queueMicrotask,
  URL,
  TextEncoder,
] as const;
const argumentsObject = (function (..._: number[]) {
  return arguments;
})(1, 2);
const nullMap = Object.create(null);
nullMap.f = (x: number) => [x, Object.getPrototypeOf(nullMap)];
const asyncHelpers = {
  async one() {
    return 1;
  },
  *two() {
    yield 2;
  },
};
const counters = { n: 0 };

export default closureJob('closures-adversary-values', {
  'identity of keys across captures': same((x) => [
    byObject.get(keyObject),
    byObject.get(other.nested.again),
    other.nested.again === keyObject,
    x,
  ]),
  'cycles through closures': same((x) => [
    cyclic.self === cyclic,
    cyclic.f() === cyclic,
    cyclic.list[1].g() === cyclic.list,
    cyclic.list[0] === cyclic.f,
    x,
  ]),
  'views of one memory': same((x) => {
    doubles[1] = x;
    return [
      [...bits],
      backing.getUint8(7),
      bits.buffer === doubles.buffer,
      backing.byteOffset - doubles.byteOffset,
    ];
  }),
  'ten thousand levels': same((x) => {
    let n = 0;
    for (let at = deep; at.at; at = at.at) n++;
    return n + x;
  }),
  'fifty thousand closures, each capturing the one before': same((x) => deepClosures() + x),
  'ten thousand nodes linked by closures': same((x) => {
    let n = 0;
    for (let at = linked; at; at = at.next()) n++;
    return n + x;
  }),
  'fifty thousand properties': same((x) => [Object.keys(wide).length, wide[`k${x}`]]),
  'lone surrogates': same((x) => [
    lone.length,
    lone.charCodeAt(0),
    lone.charCodeAt(2),
    Object.keys(loneKey)[0]!.charCodeAt(0),
    x,
  ]),
  'numbers that JSON has not': same((x) => [...numbers, Object.is(numbers[0], -0), x]),
  bigints: same((x) => [...bigs, ...bigArray, bigArray.constructor.name, BigInt(x)]),
  'frozen, sealed, fixed': same((x) => [
    Object.isFrozen(frozen),
    Object.isFrozen(frozen.a),
    Object.isFrozen(frozen.b),
    Object.isSealed(sealed),
    Object.isFrozen(sealed),
    Object.isExtensible(fixed),
    x,
  ]),
  'null prototypes': same((x) => [
    Object.getPrototypeOf(nothing),
    Object.keys(nothing),
    nothing.toString,
    nullMap.f(x),
  ]),
  'property descriptors': same((x) => [Object.keys(described), described.hidden, described.computed, x]),
  'holes and names of arrays': same((x) => [
    holes.length,
    0 in holes,
    3 in holes,
    named.label,
    named[-1],
    Object.keys(named),
    x,
  ]),
  'dangerous keys': same((x) => [Object.keys(protoKey), protoKey.polluted, ({} as any).polluted, x]),
  'sticky patterns': same((x) => {
    const r = new RegExp(sticky.source, sticky.flags);
    r.lastIndex = sticky.lastIndex;
    return [r.exec('abaca')?.groups?.['name'], r.flags, sticky.lastIndex, x];
  }),
  'a map that has itself as key': same((x) => [
    mapOfMaps.get(mapOfMaps).has(mapOfMaps),
    mapOfMaps.get(NaN),
    mapOfMaps.get(0),
    x,
  ]),
  'objects made by Object.create': same((x) => [heir.say(), heir.base, Object.keys(heir), x]),
  dates: same((x) => [dates.map((d) => d.getTime()), x]),
  'boxed primitives': same((x) => [boxed.map((b) => [typeof b, b.valueOf()]), x]),
  'odd keys': same((x) => [weird, Object.getOwnPropertySymbols(weird).length, Object.keys(weird), x]),
  'order of a set': same((x) => [[...many].slice(x, x + 3), many.size]),
  intl: same((x) => [intl[0].format(x), intl[1].format(0), intl[2].select(x)]),
  intrinsics: same((x) => [
    intrinsics[0](x, 2),
    intrinsics[1].call([1, 2], 1),
    intrinsics[2] === Object,
    intrinsics[3] === JSON,
    intrinsics[4] === Math,
    intrinsics[10] === Map.prototype,
    intrinsics[11] === globalThis,
    intrinsics[8] === Symbol.iterator,
    intrinsics.map((i) => typeof i),
  ]),
  'arguments as data': same((x) => [argumentsObject.length, [...argumentsObject], x]),
  'async and generator methods of data': async ({ rows }) => [
    await rows.mapAsync(async (x) => [await asyncHelpers.one(), [...asyncHelpers.two()], x]).collect(),
    [
      [1, [2], 1],
      [1, [2], 2],
      [1, [2], 3],
    ],
  ],
  'each lambda has a copy of its own': async ({ rows }) => {
    const shipped = await rows
      .map((x) => (counters.n += x))
      .map((x) => [x, counters.n])
      .collect();
    return [
      shipped,
      [
        [1, 0],
        [3, 0],
        [6, 0],
      ],
    ];
  },
});
void gives;
void sameOf;

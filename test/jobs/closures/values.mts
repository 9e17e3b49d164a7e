// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { Buffer } from 'node:buffer';
import { closureJob, gives, same } from './lib/closure-job.ts';

const threshold = 1;
const config = { scale: { factors: [10, 20, 30] } };
const rooms = new Map([['a', new Set([1, 2])]]);
const day = new Date(86_400_000);
const bytes = Buffer.from('grüße');
const floats = new Float64Array([1.5, -0, Number.NaN]);
const pattern = /(?<digit>\d)x/giu;
const huge = 2n ** 80n;
const nothing = undefined;
const page = new URL('http://millrace.example/a?b=1#c');
const lone = 'x\ud800y';

const reading = {
  celsius: 20,
  get fahrenheit() {
    return this.celsius * 1.8 + 32;
  },
};
const frozen = Object.freeze({ list: Object.freeze([1, 2]), n: 1 });
const sealed = Object.seal({ n: 1 });
const fixed = Object.preventExtensions({ n: 1 });
const bare = Object.assign(Object.create(null), { toString: 'mine', n: 2 });
const sparse = [1, , 3];
const tail = [1, , ,];
const hidden = Object.defineProperty({ shown: 1 }, 'hidden', { value: 2, enumerable: false, writable: true });
const odd = { ['__proto__']: 1, constructor: 2, 'a-b': 3, 7: 4, '': 5 };

const marked = { [Symbol.for('millrace.test')]: 4, [Symbol.toStringTag]: 'Marked' };
const range = {
  from: 2,
  to: 5,
  *[Symbol.iterator]() {
    for (let n = this.from; n <= this.to; n++) yield n;
  },
};
const money = {
  cents: 250,
  [Symbol.toPrimitive](hint: string) {
    return hint === 'number' ? this.cents : `${this.cents / 100} EUR`;
  },
};

const ring: { n: number; next?: unknown; all?: unknown[] } = { n: 1 };
ring.next = ring;
ring.all = [ring, { ring }];
const twice = [config, config, config.scale];
const keyed = new Map<unknown, unknown>([[config, 'by identity']]);
const knot = new Map<unknown, unknown>();
knot.set(knot, new Set([knot]));

let chain: { next: unknown } | null = null;
for (let i = 0; i < 30_000; i++) chain = { next: chain };
const match = /b(?<last>c)/.exec('abcd') as RegExpExecArray;
const withTotal = Object.assign([1, 2], { total: 3 });

// One memory seen through two views: how programs look at the bits of a float.
const float = new Float64Array(1);
const bits = new Uint8Array(float.buffer);
const window = new Uint8Array(new Uint8Array([9, 1, 2, 9]).buffer, 1, 2);
const pair = new ArrayBuffer(4);
const words = new Uint16Array(pair);
const view = new DataView(pair, 2);

const failure = new RangeError('too far', { cause: { limit: 3 } });
const many = new AggregateError([new TypeError('a'), 'b'], 'many');
const coded = Object.assign(new Error('coded'), { code: 'E_CODE' });
const renamed = Object.defineProperty(new Error('x'), 'name', { value: 'Renamed' });

const base = {
  greet() {
    return `hello ${(this as unknown as { name: string }).name}`;
  },
};
const derived = Object.create(base, { name: { value: 'd', enumerable: true, writable: true } });
const literal = { __proto__: base, name: 'l' } as unknown as { greet(): string };
const { log } = Math;
const objectPrototype = Object.prototype;
const everything = globalThis;

export default closureJob('closures-values', {
  'numbers, nested objects and arrays': same((x) => (x > threshold ? x * config.scale.factors[1]! : -x)),
  'builtins keep their class': same(() => [
    rooms.get('a')!.has(2),
    rooms instanceof Map,
    day.toISOString(),
    bytes.toString(),
    Buffer.isBuffer(bytes),
    floats,
    floats instanceof Float64Array,
    huge + 1n,
    nothing,
    page.searchParams.get('b'),
    page instanceof URL,
    lone.charCodeAt(1),
  ]),
  'a regular expression keeps flags, groups and lastIndex': same((x) => {
    pattern.lastIndex = 0;
    return [pattern.exec(`${x}X`)?.groups?.['digit'], pattern.lastIndex, pattern.flags];
  }),
  'an invalid date and negative zero': (() => {
    const never = new Date(Number.NaN);
    const zero = -0;
    return same(() => [Number.isNaN(never.getTime()), Object.is(zero, -0)]);
  })(),
  'a getter is read when it is captured': same(() => [reading.fahrenheit, Object.keys(reading)]),
  'frozen objects stay frozen': same((x) => {
    const tries = [
      () => ((frozen as { n: number }).n = x),
      () => (frozen.list as number[]).push(x),
      () => delete (sealed as { n?: number }).n,
      () => ((fixed as { more?: number }).more = x),
    ].map((attempt) => {
      try {
        attempt();
        return 'changed';
      } catch (error) {
        return (error as Error).name;
      }
    });
    sealed.n = x;
    return [tries, Object.isFrozen(frozen), Object.isSealed(sealed), Object.isExtensible(fixed), sealed.n];
  }),
  'null prototypes': same(() => [Object.getPrototypeOf(bare), bare.toString, `${Object.keys(bare)}`]),
  'holes stay holes': same(() => [sparse.length, 1 in sparse, tail.length, 2 in tail, sparse.indexOf(3)]),
  'properties that are not enumerable': same(() => [
    (hidden as { hidden?: number }).hidden,
    Object.keys(hidden),
  ]),
  'odd keys': same(() => [Object.keys(odd), odd['__proto__'], odd.constructor, odd['a-b'], odd[7], odd['']]),
  'symbol keys': same(() => [(marked as never)[Symbol.for('millrace.test')], String(marked)]),
  'an iterable object': same((x) => [...range, x]),
  'an object with toPrimitive': same((x) => [+money + x, `${money}`]),
  'cycles and identity': same(() => [
    ring.next === ring,
    ring.all![0] === ring,
    (ring.all![1] as { ring: unknown }).ring === ring,
    twice[0] === twice[1],
    twice[2] === (twice[0] as typeof config).scale,
    keyed.get(config),
    [...knot.keys()][0] === knot,
    (knot.get(knot) as Set<unknown>).has(knot),
  ]),
  'a list of 30,000 links': same(() => {
    let n = 0;
    for (let at = chain; at !== null; at = at.next as typeof chain) n++;
    return n;
  }),
  'arrays with properties': same(() => [match.index, match.groups?.['last'], match[1], withTotal.total]),
  'views of one memory': same((x) => {
    float[0] = x;
    words[1] = x;
    return [[...bits], view.getUint16(0, true), [...window], window.length];
  }),
  'errors, their causes and properties': same(() => [
    failure instanceof RangeError,
    failure.message,
    (failure.cause as { limit: number }).limit,
    many.errors.map(String),
    many instanceof AggregateError,
    coded.code,
    renamed.name,
    typeof failure.stack,
  ]),
  'objects with an object as prototype': same((x) => [
    derived.greet(),
    literal.greet(),
    Object.getPrototypeOf(derived) === base,
    Object.getPrototypeOf(literal) === Object.getPrototypeOf(derived),
    base.isPrototypeOf(derived),
    Object.keys(derived),
    x,
  ]),
  'builtin functions, prototypes and the global object as values': same((x) => [
    log(x),
    objectPrototype.hasOwnProperty.call({ x }, 'x'),
    everything.parseInt('7', 8 + x),
    everything === globalThis,
  ]),
  'boxed primitives': (() => {
    const boxes = [Object(1), Object('s'), Object(true), Object(2n)];
    return same(() => boxes.map((box) => [typeof box, String(box.valueOf())]));
  })(),
  'formatters and coders': (() => {
    const euros = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' });
    const days = new Intl.DateTimeFormat('en', { timeZone: 'UTC', dateStyle: 'long' });
    const encoder = new TextEncoder();
    const decoder = new TextDecoder('utf-16le');
    const query = new URLSearchParams('a=1&b=2');
    return same((x) => [
      euros.format(x),
      days.format(day),
      [...encoder.encode('é')],
      decoder.decode(new Uint8Array([65, 0])),
      query.get('b'),
    ]);
  })(),
  'a copy that no one else sees': (() => {
    const seen = new Map<number, number>();
    return gives(
      (x) => {
        seen.set(x, seen.size);
        return seen.size;
      },
      1,
      2,
      3,
    );
  })(),
});

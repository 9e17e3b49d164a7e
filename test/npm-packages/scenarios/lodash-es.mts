// oxlint-disable import/no-named-as-default-member, unicorn/no-array-reverse -- the default export is tested, too, and is no array
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import _, {
  chain,
  cloneDeep,
  debounce,
  groupBy,
  isEqual,
  merge,
  mergeWith,
  template,
  throttle,
} from 'lodash-es';

/** What depends on time, chance or a counter, or changes the library. */
const LEFT_OUT =
  /^(?:random|sample|sampleSize|shuffle|now|uniqueId|delay|defer|mixin|noConflict|runInContext|VERSION|templateSettings|placeholder)$/;

/** Made anew for each call: many functions change what they are given. */
const firsts = (): unknown[] => [
  undefined,
  null,
  0,
  -1.5,
  Number.NaN,
  '',
  'fooBar baz',
  [],
  [3, 1, 2, [4, [5]]],
  [{ a: 1 }, { a: 2, b: 1 }],
  { a: 1, b: { c: [1] } },
  (x: unknown) => x,
  new Map([[1, { k: 2 }]]),
  true,
];
const seconds = (): unknown[][] => [
  [],
  [2],
  ['a'],
  [(x: unknown) => x],
  [{ a: 1 }],
  [[1, 'b']],
  ['a', 3],
  [(x: unknown, y: unknown) => [x, y], 0],
];

function outcomeOf(call: () => unknown): string {
  try {
    // Of an error that is returned without its stack.
    return inspect(call(), { depth: 3 }).replaceAll(/\n\s+at .*/g, '');
  } catch (error) {
    return String(error);
  }
}

/** Every function of the library, with many kinds of arguments: "112 results", and their hash. */
function sweep(): Record<string, string> {
  const library = _ as unknown as Record<string, (...args: unknown[]) => unknown>;
  const names = Object.keys(library).filter((name) => !LEFT_OUT.test(name));
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const results = firsts().flatMap((_first, i) =>
        seconds().map((_rest, j) => outcomeOf(() => library[name]?.(firsts()[i], ...(seconds()[j] ?? [])))),
      );
      return [name, `${results.length} results: ${hash('md5', results.join('\n'))}`];
    }),
  );
}

export default function scenario(): unknown {
  const people = [
    { name: 'ann', age: 31, tags: ['a', 'b'], at: { city: 'Ulm' } },
    { name: 'bob', age: 25, tags: ['b'], at: { city: 'Bonn' } },
    { name: 'cid', age: 31, tags: [], at: { city: 'Ulm' } },
  ];
  const cyclic: Record<string, unknown> = { a: [new Map([['k', new Set([1])]]), /x/g, new Date(3)] };
  cyclic['me'] = cyclic;
  const copy = cloneDeep(cyclic);
  let calls = 0;
  const once = _.once(() => ++calls);
  return {
    grouped: groupBy(people, 'at.city'),
    chained: chain(people).filter({ age: 31 }).map('name').reverse().join('+').value(),
    wrapped: _([3, 1, 2])
      .sortBy()
      .map((n: number) => n * 2)
      .take(2)
      .value(),
    ordered: _.orderBy(people, ['age', 'name'], ['desc', 'asc']).map(({ name }) => name),
    clone: [copy !== cyclic, copy['me'] === copy, isEqual(copy, cyclic), isEqual(copy, { a: 1 })],
    merged: merge({ a: { b: [1, 2] } }, { a: { b: [3], c: { d: 1 } } }),
    mergedWith: mergeWith({ a: [1] }, { a: [2] }, (x: unknown, y: unknown) =>
      Array.isArray(x) ? x.concat(y) : undefined,
    ),
    strings: [
      _.camelCase('--foo-bar'),
      _.kebabCase('fooBar'),
      _.startCase('été chaud'),
      _.deburr('déjà'),
      _.words('a-b c'),
      _.pad('x', 5, '-'),
      _.truncate('a long text here', { length: 10 }),
    ],
    template: template('<% for (const x of list) { %><li><%- x %></li><% } %>')({ list: ['<', 'b'] }),
    paths: [
      _.get(people, '[0].tags[1]'),
      _.set({}, 'a[0].b', 1),
      _.has(people[0], 'at.city'),
      _.unset({ a: 1 }, 'a'),
      _.toPath('a[0].b["c.d"]'),
    ],
    arrays: [
      _.chunk([1, 2, 3, 4, 5], 2),
      _.difference([1, 2, 3], [2]),
      _.zipObject(['a'], [1]),
      _.xor([1, 2], [2, 3]),
      _.uniqWith([{ a: 1 }, { a: 1 }], isEqual),
      _.flattenDeep([1, [2, [3, [4]]]]),
      _.sortedIndex([1, 3], 2),
    ],
    functions: [
      _.curry((a: number, b: number, c: number) => [a, b, c])(1)(_.curry.placeholder, 3)(2),
      _.partialRight((a: string, b: string) => a + b, 'x')('y'),
      _.flow([Math.abs, Math.sqrt])(-9),
      once() + once(),
      _.memoize((n: number) => n * calls)(2),
      _.ary(Number.parseInt, 1)('7'),
    ],
    numbers: [
      _.sum([1, 2]),
      _.meanBy(people, 'age'),
      _.round(4.006, 2),
      _.clamp(9, 1, 5),
      _.inRange(3, 2, 4),
      _.range(0, -4, -2),
    ],
    types: [
      _.isPlainObject({}),
      _.isPlainObject(new Map()),
      _.isArguments([]),
      _.isTypedArray(new Uint8Array()),
      _.isNative(Map),
      _.isElement(null),
      _.toString(-0),
      _.toInteger('3.7'),
    ],
    sweep: sweep(),
    kinds: [typeof debounce, typeof throttle, _.VERSION, Object.keys(_).length > 100],
  };
}

import { type CorpusCase, job, VENDOR } from './corpus-case.ts';

/** What exists only on the driver; assignments to its variables; functions that nobody can move. */
export const DRIVER_ONLY: readonly CorpusCase[] = [
  {
    title: 'the context in a lambda',
    bad: job({ body: 'orders.map((row) => `${⟪ssc.name}: ${row.value}`).print();' }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const value = ssc.…'],
    says: ['captured `ssc` is a StreamingContext'],
    good: job({
      body: 'const { name } = ssc; orders.map((row) => `${name}: ${row.value}`).print();',
    }),
  },
  {
    title: 'the context behind `this`',
    bad: job({
      top: `import type { DStream, StreamingContext } from '@millrace/api';
class Report {
  readonly ssc: StreamingContext;
  constructor(ssc: StreamingContext) { this.ssc = ssc; }
  label(n: number) { return n; }
  run(rows: DStream<{ offset: number }>) { rows.map((row) => ⟪this.label(row.offset)).print(); }
}`,
      body: 'new Report(ssc).run(orders);',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const value = ssc.…'],
    says: ['captured `this` → `this.ssc` is a StreamingContext'],
    good: job({
      top: `import type { DStream, StreamingContext } from '@millrace/api';
class Report {
  readonly ssc: StreamingContext;
  readonly factor = 2;
  constructor(ssc: StreamingContext) { this.ssc = ssc; }
  run(rows: DStream<{ offset: number }>) { rows.map((row) => row.offset * this.factor).print(); }
}`,
      body: 'new Report(ssc).run(orders);',
    }),
  },
  {
    title: 'a stream in a lambda',
    bad: job({ body: 'const other = orders.map((row) => row.value); orders.map(() => ⟪other).print();' }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['instead of `other`'],
    good: job({
      body: 'const other = (row: { value: string }) => row.value; orders.map((row) => other(row)).print();',
    }),
  },
  {
    title: 'an RDD in a lambda of another',
    bad: job({
      body: 'orders.foreachRDD((rdd) => { rdd.map(() => ⟪rdd.count()); });',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const rows = await rdd.collect()'],
    good: job({
      body: 'orders.foreachRDD(async (rdd, time) => { const n = await rdd.count(); rdd.map(() => n + time); });',
    }),
  },
  {
    title: 'a socket in a lambda inside foreachRDD',
    bad: job({
      top: "import { Socket } from 'node:net';",
      body: 'orders.foreachRDD((rdd) => { const socket = new Socket(); rdd.map((row) => ⟪socket.write(row.value)); });',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const socket = perExecutor'],
    good: job({
      top: "import { Socket } from 'node:net';",
      body: 'orders.foreachRDD((rdd) => { const socket = new Socket(); const { destroyed } = socket; rdd.map(() => destroyed); });',
    }),
  },
  {
    title: 'a counter',
    bad: job({ body: 'let seen = 0; orders.map(() => ⟪seen++).print();' }),
    codes: ['CLOSURE_WRITES_CAPTURE'],
    fix: ['const seen = ssc.accumulator(0)', 'seen.add(1)'],
    says: ['assigns to `seen`'],
    good: job({
      body: 'const seen = ssc.accumulator(0); orders.map((row) => { let own = 0; own++; seen.add(own); return row.value; }).print();',
    }),
  },
  {
    title: 'a sum in a nested function',
    bad: job({
      body: 'let total = 0; orders.map((row) => { const add = () => { ⟪total += row.offset; }; add(); return row.value; }).print();',
    }),
    codes: ['CLOSURE_WRITES_CAPTURE'],
    fix: ['const total = ssc.accumulator(0)'],
    good: job({
      body: 'orders.map((row) => { let total = 0; const add = () => { total += row.offset; }; add(); return total; }).print();',
    }),
  },
  {
    title: 'an assignment of the last row',
    bad: job({
      body: "let last = ''; orders.map((row) => { ⟪last = row.value; return row.offset; }).print();",
    }),
    codes: ['CLOSURE_WRITES_CAPTURE'],
    fix: ['const last = perExecutor(() => ({ value: … }))', 'last().value'],
    good: job({
      body: "let last = ''; orders.map((row) => row.value + last).foreachRDD(async (rdd) => { [last = ''] = await rdd.take(1); });",
    }),
  },
  {
    title: 'a destructuring assignment',
    bad: job({
      body: "let first = ''; let rest: string[] = []; orders.map((row) => { [⟪first = '', ...⟪rest] = row.value.split(','); return 1; }).print();",
    }),
    codes: ['CLOSURE_WRITES_CAPTURE', 'CLOSURE_WRITES_CAPTURE'],
    fix: ['const first = perExecutor'],
    good: job({
      body: "const first = ''; orders.map((row) => { const [first = '', ...rest] = row.value.split(','); return first + rest.length; }).map((text) => text + first).print();",
    }),
  },
  {
    title: 'a loop over a variable of the driver',
    bad: job({
      body: "let word = ''; orders.map((row) => { for (⟪word of row.value.split(' ')); return 1; }).print(); void word;",
    }),
    codes: ['CLOSURE_WRITES_CAPTURE'],
    fix: ['word'],
    good: job({
      body: "let word = ''; orders.map((row) => { for (const word of row.value.split(' ')) void word; return 1; }).print(); word = 'x';",
    }),
  },
  {
    title: 'a counter in a helper of another file',
    bad: job({
      top: "import { next } from './lib/ids.ts';",
      body: 'orders.map((row) => next() + row.offset).print();',
      files: { 'lib/ids.ts': 'let id = 0;\nexport function next(): number {\n  return ⟪id++;\n}\n' },
    }),
    codes: ['CLOSURE_WRITES_CAPTURE'],
    fix: ['const id = ssc.accumulator(0)'],
    says: ['→ next (lib/ids.ts:2)'],
    good: job({
      top: "import { next } from './lib/ids.ts';",
      body: 'orders.map((row) => next().id + row.offset).print();',
      files: {
        'lib/ids.ts':
          'const state = { id: 0 };\nexport function next() {\n  state.id++;\n  return state;\n}\n',
      },
    }),
  },
  {
    title: 'several problems of several lambdas, all at once',
    bad: job({
      top: "import { Socket } from 'node:net';\nconst socket = new Socket();\nconst late = Promise.resolve(1);",
      body: `let seen = 0;
  orders.map((row) => { ⟪seen++; return [⟪socket.write(row.value), ⟪late]; }).print();
  orders.filter(() => ⟪socket.destroyed).print();`,
    }),
    codes: ['CLOSURE_WRITES_CAPTURE', 'CLOSURE_CAPTURE', 'CLOSURE_CAPTURE', 'CLOSURE_CAPTURE'],
    fix: ['const seen = ssc.accumulator(0)'],
    says: ['4 problems', 'const socket = perExecutor', 'await late'],
    good: job({
      top: "import { Socket } from 'node:net';\nconst socket = perExecutor(() => new Socket());",
      body: `const seen = ssc.accumulator(0);
  orders.map((row) => { seen.add(1); return socket().write(row.value); }).print();
  orders.filter(() => socket().destroyed).print();`,
    }),
  },
  {
    title: 'what the operators find, what lambdas capture, and what the job function throws, all at once',
    bad: job({
      body: 'const late = Promise.resolve(1); orders.⟪map(undefined as never).print(); orders.map(() => ⟪late).print(); ssc.⟪broadcast({ count: () => 1 });',
    }),
    codes: ['JOB_INVALID', 'CLOSURE_CAPTURE', 'CLOSURE_CAPTURE'],
    fix: ['Give it the function itself'],
    says: ['const value = await late', 'Broadcast objects, arrays', '^^^^^^^^^'],
    good: job({
      async: true,
      body: 'const late = await Promise.resolve(1); orders.map((row) => row.value).print(); orders.map(() => late).print(); ssc.broadcast({ count: 1 });',
    }),
  },
  {
    title: 'a function that a package made, as the lambda',
    bad: job({
      top: "import { memoize } from 'vendor';\nconst slow = (text: { value: string }) => text.value.length;",
      body: 'orders.⟪map(memoize(slow)).print();',
      files: VENDOR,
    }),
    codes: ['CLOSURE_UNTRANSFORMED'],
    fix: ['perExecutor(() => …)', '(row) => f()(row)'],
    good: job({
      top: "import { memoize, trim } from 'vendor';\nconst fast = perExecutor(() => memoize((text: string) => text.length));",
      body: 'orders.map((row) => fast()(row.value)).map(String).map(trim).print();',
      files: VENDOR,
    }),
  },
  {
    title: 'a function that a package made, captured',
    bad: job({
      top: "import { memoize } from 'vendor';\nconst fast = memoize((text: string) => text.length);",
      body: 'orders.map((row) => ⟪fast(row.value)).print();',
      files: VENDOR,
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const fast = perExecutor(() => …)', 'call fast()'],
    says: ['created inside an npm package'],
    good: job({
      top: "import { memoize } from 'vendor';\nconst slow = (text: string) => text.length;",
      body: 'orders.map((row) => memoize(slow)(row.value)).print();',
      files: VENDOR,
    }),
  },
  {
    title: 'a function of a CommonJS file',
    bad: job({
      top: "import helpers from './lib/helpers.cjs';\nconst { double } = helpers.make(2);",
      body: 'orders.map((row) => ⟪double(row.offset)).print();',
      files: { 'lib/helpers.cjs': 'exports.make = (k) => ({ double: (n) => n * k });\n' },
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const double = perExecutor'],
    good: job({
      top: "import helpers from './lib/helpers.cjs';\nconst { factor } = helpers;",
      body: 'orders.map((row) => row.offset * factor).print();',
      files: { 'lib/helpers.cjs': 'exports.factor = 2;\n' },
    }),
  },
  {
    title: '`new Function`',
    bad: job({
      top: "const rule = new Function('row', 'return row.offset > 3') as (row: unknown) => boolean;",
      body: 'orders.filter((row) => ⟪rule(row)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const rule = perExecutor'],
    says: ['by eval'],
    good: job({
      top: "const rule = perExecutor(() => new Function('row', 'return row.offset > 3') as (row: unknown) => boolean);",
      body: 'orders.filter((row) => rule()(row)).print();',
    }),
  },
  {
    title: 'a function that was bound at run time by something else',
    bad: job({
      top: 'const bindLater = (f: (n: number) => number) => Reflect.apply(Function.prototype.bind, f, [undefined]) as typeof f;\nconst half = bindLater((n) => n / 2);',
      body: 'orders.map((row) => ⟪half(row.offset)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const half = perExecutor'],
    good: job({
      top: 'const divide = (by: number, n: number) => n / by;\nconst half = divide.bind(undefined, 2);',
      body: 'orders.map((row) => half(row.offset)).print();',
    }),
  },
  {
    title: 'a variable before its declaration',
    bad: job({
      body: 'orders.foreachRDD((rdd) => { rdd.map((row) => row.offset + ⟪late); const late = 2; });',
    }),
    codes: ['CLOSURE_USE_BEFORE_INIT'],
    fix: ['`late`'],
    good: job({
      body: 'orders.map((row) => row.offset + late + hoisted()).print(); const late = 2; function hoisted() { return 1; }',
    }),
  },
  {
    title: 'an async element function',
    bad: job({ body: 'orders.map(⟪async (row) => row.value).print();' }),
    codes: ['ELEMENT_PROMISE'],
    fix: ['mapAsync'],
    good: job({ body: 'orders.mapAsync(async (row) => row.value).print();' }),
  },
];

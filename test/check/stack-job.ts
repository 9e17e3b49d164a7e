import type { Project } from './corpus/corpus-case.ts';

/** A lambda that throws, and the frames of its stack: each as `file: text`, where the text stands in that file. */
export interface StackCase {
  readonly title: string;
  /** What is done with the rows 0, 1, 2 (`rdd` of numbers), in the driver's function. */
  readonly run: string;
  readonly frames: readonly string[];
  /** Frames of the error's own cause. */
  readonly causeFrames?: readonly string[];
}

export const STACK_CASES: readonly StackCase[] = [
  {
    title: 'a lambda',
    run: 'rdd.map((n: number): number => { const m: Map<string, number> = new Map(); return fail(m.size + n); }).count()',
    frames: ['lib/fail.ts: new RangeError', 'job.ts: fail(m.size'],
  },
  {
    title: 'a chain of helpers through files, with a default export and an arrow',
    run: 'rdd.map((n) => outer(n)).count()',
    frames: [
      'lib/fail.ts: new RangeError',
      'lib/chain.ts: fail(n)',
      'lib/chain.ts: inner(n)',
      'job.ts: outer(n))',
    ],
  },
  {
    title: 'functions that call each other',
    run: 'rdd.map((n) => even(n + 4)).count()',
    frames: [
      'lib/cycle.ts: new Error',
      'lib/cycle.ts: even(n - 1);',
      'lib/cycle.ts: odd(n - 1);',
      'lib/cycle.ts: even(n - 1);',
      'lib/cycle.ts: odd(n - 1);',
      'job.ts: even(n + 4)',
    ],
  },
  {
    title: 'a recursion without an end',
    run: 'rdd.map((n) => endless(n)).count()',
    // V8 gives ten frames.
    frames: [
      'lib/cycle.ts: endless(n: number)',
      ...Array.from({ length: 9 }, () => 'lib/cycle.ts: endless(n + 1)'),
    ],
  },
  {
    title: 'npm code that throws',
    run: "rdd.map((n) => parse('x' + n)).count()",
    frames: [
      'node_modules/tiny/index.js: new SyntaxError',
      'node_modules/tiny/index.js: check(text);',
      "job.ts: parse('x'",
    ],
  },
  {
    title: 'a callback that npm code calls',
    run: 'rdd.map((n) => each([n], (m: number) => fail(m))).count()',
    frames: [
      'lib/fail.ts: new RangeError',
      'job.ts: fail(m))',
      'node_modules/tiny/index.js: call(item)',
      'job.ts: each([n]',
    ],
  },
  {
    title: 'async functions, after they have waited',
    run: 'rdd.mapAsync(async (n) => { const m = await later(n); return m; }).count()',
    frames: ['lib/later.ts: new Error', 'lib/later.ts: await deeper(n)', 'job.ts: await later(n); return m'],
  },
  {
    title: 'npm code that is async',
    run: 'rdd.mapAsync(async (n) => { await retry(async () => { await later(n); }); }).count()',
    frames: [
      'lib/later.ts: new Error',
      'lib/later.ts: await deeper(n)',
      'job.ts: await later(n); });',
      'node_modules/tiny/index.js: await attempt()',
      'job.ts: await retry(async',
    ],
  },
  {
    title: 'methods, getters, statics and constructors of classes',
    run: 'rdd.map((n) => new Basket(n).total).count()',
    frames: [
      'lib/fail.ts: new RangeError',
      'lib/basket.ts: fail(n)',
      'lib/basket.ts: check(this.n)',
      'lib/basket.ts: sum(); }',
      'job.ts: total).count',
    ],
  },
  {
    title: 'a generator',
    run: 'rdd.flatMap(function* rows(n) { yield n; yield fail(n); }).count()',
    frames: ['lib/fail.ts: new RangeError', 'job.ts: fail(n); }).count'],
  },
  {
    title: 'a factory of perExecutor',
    run: 'rdd.map((n) => pool() + n).count()',
    frames: ['lib/fail.ts: new RangeError', 'lib/pool.ts: fail(1)', 'job.ts: pool() + n'],
  },
  {
    title: "a module that begins with 'use executor'",
    run: 'rdd.map((n) => there(n)).count()',
    frames: ['lib/there.ts: new TypeError', 'job.ts: there(n))'],
  },
  {
    title: "what JavaScript itself throws, and an array's method",
    run: 'rdd.map((n) => [n].map((m) => JSON.parse(`{${m}`))).count()',
    frames: ['job.ts: parse(`{${m}`)', 'job.ts: map((m) => JSON'],
  },
  {
    title: 'an error with a cause',
    run: 'rdd.map((n) => wrapped(n)).count()',
    frames: ['lib/wrapped.ts: new Error', 'job.ts: wrapped(n))'],
    causeFrames: ['lib/fail.ts: new RangeError', 'lib/wrapped.ts: fail(n)', 'job.ts: wrapped(n))'],
  },
];

/** A project whose job runs each case in a batch of its own, and writes what the driver caught. */
export function stackProject(): Project {
  const runs = STACK_CASES.map(({ run }) => `  async (rdd: RDD<number>) => ${run},`);
  return {
    'package.json': '{ "type": "module" }',
    'job.ts': `import { writeFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, type RDD } from '@millrace/api';
import { each, parse, retry } from 'tiny';
import { Basket } from './lib/basket.ts';
import outer from './lib/chain.ts';
import { endless, even } from './lib/cycle.ts';
import { fail } from './lib/fail.ts';
import { later } from './lib/later.ts';
import { pool } from './lib/pool.ts';
import { there } from './lib/there.ts';
import { wrapped } from './lib/wrapped.ts';

interface Caught { readonly stack?: string; readonly cause?: Caught; readonly what?: string }

const cases = [
${runs.join('\n')}
];

function told(error: Caught | undefined): Caught[] {
  return error === undefined ? [] : [{ stack: error.stack ?? '', what: error.what ?? '' }, ...told(error.cause)];
}

export default defineJob({ name: 'stacks', batchInterval: '50ms', batches: 1, taskAttemptsMax: 1 }, (ssc) => {
  const rows = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('stacks', { brokers: env('KAFKA_BROKERS'), groupId: 'stacks', startFrom: 'earliest' }),
  );
  rows.map((row) => row.offset).foreachRDD(async (rdd) => {
    const caught: Caught[][] = [];
    for (const run of cases) {
      try {
        await run(rdd);
        caught.push([]);
      } catch (error) {
        caught.push(told(error as Caught));
      }
    }
    writeFileSync(env('STACKS_RESULT'), JSON.stringify(caught));
  });
});
`,
    'lib/fail.ts': `/* A helper. */ export function fail(n: number): number {
  const text: string = 'no ' + n; throw new RangeError(text);
}
`,
    'lib/chain.ts': `import { fail } from './fail.ts';
interface Options { readonly loud: boolean }
const inner = (n: number, _options?: Options) =>
  fail(n);
export default function outer(n: number): number {
  return 1 + inner(n);
}
`,
    'lib/cycle.ts': `export function even(n: number): boolean {
  if (n === 0) throw new Error('zero');
  return odd(n - 1);
}
export function odd(n: number): boolean {
  return even(n - 1);
}
export function endless(n: number): number {
  return endless(n + 1) + 1;
}
`,
    'lib/later.ts': `async function deeper(n: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  throw new Error('late ' + n);
}
export async function later(n: number): Promise<number> {
  const found = await deeper(n);
  return found;
}
`,
    'lib/basket.ts': `import { fail } from './fail.ts';
abstract class Checked {
  static check(n: number): number { return fail(n); }
}
export class Basket extends Checked {
  readonly #hidden = 1;
  constructor(private readonly n: number) { super(); }
  sum(): number { return Basket.check(this.n) + this.#hidden; }
  get total(): number { return this.sum(); }
}
`,
    'lib/pool.ts': `import { perExecutor } from '@millrace/api';
import { fail } from './fail.ts';
export const pool = perExecutor(() => fail(1));
`,
    'lib/there.ts': `'use executor';
export function there(n: number): number {
  throw new TypeError('there ' + n);
}
`,
    'lib/wrapped.ts': `import { fail } from './fail.ts';
export function wrapped(n: number): number {
  try {
    return fail(n);
  } catch (cause) {
    throw new Error('wrapped', { cause });
  }
}
`,
    'node_modules/tiny/package.json': '{ "name": "tiny", "type": "module", "main": "index.js" }',
    'node_modules/tiny/index.js': `function check(text) {
  throw new SyntaxError(text);
}
export function parse(text) {
  return check(text);
}
export function each(items, call) {
  for (const item of items) {
    call(item);
  }
}
export async function retry(attempt) {
  await attempt();
}
`,
  };
}

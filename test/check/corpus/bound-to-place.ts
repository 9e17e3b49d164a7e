import { type CorpusCase, job } from './corpus-case.ts';

/** Lambdas whose text has another meaning elsewhere (rule 9 of the rewriting rules). */
export const BOUND_TO_PLACE: readonly CorpusCase[] = [
  {
    title: '`arguments` of an enclosing function',
    bad: job({
      top: 'function adder(..._: number[]) { return (row: { value: string }) => row.value.length + ⟪arguments.length; }',
      body: 'orders.map(adder(1, 2)).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['rest parameter', 'adder(...args)'],
    good: job({
      top: `function adder(...args: number[]) { return (row: { value: string }) => row.value.length + args.length; }
function own(_row: unknown) { return arguments.length; }`,
      body: 'orders.map(adder(1, 2)).print(); orders.map(own).print();',
    }),
  },
  {
    title: '`arguments` of an enclosing method',
    bad: job({
      top: 'class Rules { first(_limit: number) { return () => ⟪arguments[0] as number; } }',
      body: 'orders.map(new Rules().first(3)).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['first(...args)'],
    good: job({
      top: 'class Rules { first(limit: number) { return (row: { arguments?: number }) => row.arguments ?? limit; } }',
      body: 'orders.map((row) => new Rules().first(3)({ arguments: row.offset })).print();',
    }),
  },
  {
    title: '`super` in an arrow of a method',
    bad: job({
      top: `class Base { label() { return 'b'; } }
class Derived extends Base { labels() { return () => ⟪super.label(); } }`,
      body: 'orders.map(new Derived().labels()).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['super.label', 'outside of the lambda'],
    good: job({
      top: `class Base { label() { return 'b'; } }
class Derived extends Base { label() { return super.label() + 'd'; } }
const derived = new Derived();`,
      body: 'orders.map(() => derived.label()).print();',
    }),
  },
  {
    title: '`super` in a method of an object',
    bad: job({
      top: `const base = { label() { return 'b'; } };
const derived = { __proto__: base, label() { return super.label() + 'd'; } } as unknown as typeof base;`,
      body: 'orders.⟪map(derived.label).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['label() a method of a class'],
    good: job({
      top: `const base = { label() { return 'b'; } };
const derived = { label() { return base.label() + 'd'; } };`,
      body: 'orders.map(derived.label).print();',
    }),
  },
  {
    title: '`new.target` of an enclosing constructor',
    bad: job({
      top: 'class Maker { make: () => string; constructor() { this.make = () => ⟪new.target.name; } }',
      body: 'orders.map(new Maker().make).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['const target = new.target'],
    good: job({
      top: 'class Maker { make: () => string; constructor() { const { name } = new.target; this.make = () => name; } }',
      body: 'orders.map(new Maker().make).print();',
    }),
  },
  {
    title: '`import.meta`',
    bad: job({ body: 'orders.map((row) => ⟪import.meta.dirname + row.value).print();' }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['const dirname = import.meta.dirname', 'outside of the lambda'],
    good: job({
      body: 'const { dirname } = import.meta; orders.map((row) => dirname + row.value).print();',
    }),
  },
  {
    title: '`import.meta` in a helper of another file',
    bad: job({
      top: "import { here } from './lib/here.ts';",
      body: 'orders.map((row) => here() + row.value).print();',
      files: { 'lib/here.ts': 'export function here(): string {\n  return ⟪import.meta.url;\n}\n' },
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['const url = import.meta.url'],
    says: ['reached through: lambda (job.ts:', '→ here (lib/here.ts:1)'],
    good: job({
      top: "import { here } from './lib/here.ts';",
      body: 'orders.map((row) => here() + row.value).print();',
      files: {
        'lib/here.ts': 'const { url } = import.meta;\nexport function here(): string {\n  return url;\n}\n',
      },
    }),
  },
  {
    title: 'a private field of a parameter',
    bad: job({
      top: 'class Rate { #cents = 1; reader() { return (other: Rate) => other.⟪#cents; } }',
      body: 'const read = new Rate().reader(); orders.map(() => read).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['public method', '#cents'],
    good: job({
      top: 'class Rate { #cents = 1; reader() { return (n: number) => n * this.#cents; } }',
      body: 'const read = new Rate().reader(); orders.map((row) => read(row.offset)).print();',
    }),
  },
  {
    title: 'a private field of another object',
    bad: job({
      top: `class Rate { #cents = 1; static of(rate: Rate) { return (n: number) => n * ⟪rate.⟪#cents; } }
const rate = new Rate();`,
      body: 'orders.map((row) => row.offset).map(Rate.of(rate)).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE', 'CLOSURE_CAPTURE'],
    fix: ['const cents = rate.#cents'],
    good: job({
      top: `class Rate { #cents = 1; static of(rate: Rate) { const cents = rate.#cents; return (n: number) => n * cents; } }
const rate = new Rate();`,
      body: 'orders.map((row) => row.offset).map(Rate.of(rate)).print();',
    }),
  },
  {
    title: 'a brand check',
    bad: job({
      top: 'class Rate { #cents = 1; check() { return (row: object) => ⟪#cents in row; } }',
      body: 'orders.filter(new Rate().check()).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['#cents'],
    good: job({
      top: 'class Rate { cents = 1; check() { return (row: object) => "cents" in row; } }',
      body: 'orders.filter(new Rate().check()).print();',
    }),
  },
  {
    title: 'a decorated class',
    bad: job({
      top: `const sealed = <T>(target: T): T => target;
⟪@sealed class Price { cents = 1; }`,
      body: 'orders.map(() => new Price().cents).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ["Price in a module that begins with 'use executor'"],
    good: job({
      top: "import { Price } from './lib/price.ts';",
      body: 'orders.map(() => new Price().cents).print();',
      files: {
        'lib/price.ts':
          "'use executor';\nconst sealed = <T>(target: T): T => target;\n@sealed class Price { cents = 1; }\nexport { Price };\n",
      },
    }),
  },
  {
    title: 'a class with a decorated method',
    bad: job({
      top: `const logged = (_target: object, _key: string): void => undefined;
⟪class Price { @logged cents() { return 1; } }
const price = new Price();`,
      body: 'orders.map(() => price.cents()).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['Price in a module'],
    good: job({
      top: `const logged = (_target: object, _key: string): void => undefined;
class Logged { @logged cents() { return 1; } }
class Price { cents() { return 1; } }
const price = new Price();
void Logged;`,
      body: 'orders.map(() => price.cents()).print();',
    }),
  },
  {
    title: 'a class whose head awaits',
    bad: job({
      async: true,
      body: `class Named { [⟪await Promise.resolve('label')]() { return 1; } }
  orders.map(() => new Named()).print();`,
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ["const value = await Promise.resolve('label')"],
    good: job({
      async: true,
      body: `const label = await Promise.resolve('label');
  class Named { [label]() { return 1; } }
  orders.map(() => new Named()).print();`,
    }),
  },
  {
    title: 'a class whose head yields',
    bad: job({
      top: 'function* classes(): Generator<string, new () => object, string> { return class Named { [⟪yield "name"]() { return 1; } }; }\nconst steps = classes();\nsteps.next();\nconst Made = steps.next("label").value as new () => object;',
      body: 'orders.map(() => new Made()).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['const value = yield "name"'],
    good: job({
      top: 'function* names(): Generator<string> { yield "label"; }\nconst [label = ""] = names();\nconst Made = class Named { [label]() { return 1; } };',
      body: 'orders.map(() => new Made()).print();',
    }),
  },
  {
    title: 'a class with a computed key of `this`',
    bad: job({
      top: 'class Factory { key = "one"; make() { return class Made { [⟪this.key]() { return 1; } }; } }\nconst Made = new Factory().make();',
      body: 'orders.map(() => new Made()).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['const value = this.key'],
    good: job({
      top: 'class Factory { base = class { one() { return 1; } }; key = "two"; make() { const { key } = this; return class Made extends this.base { [key]() { return 2; } }; } }\nconst Made = new Factory().make();',
      body: 'orders.map(() => new Made().one()).print();',
    }),
  },
  {
    title: 'an import of an own module at run time',
    bad: job({
      body: "orders.mapAsync(async (row) => (await import(⟪'./lib/late.ts')).late + row.offset).print();",
      files: { 'lib/late.ts': 'export const late = 1;\n' },
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ["import './lib/late.ts' statically", "'use executor'"],
    good: job({
      body: "orders.mapAsync(async (row) => (await import('./lib/late.ts')).late + row.offset).print(); orders.mapAsync(async () => (await import('node:path')).sep).print();",
      files: { 'lib/late.ts': "'use executor';\nexport const late = 1;\n" },
    }),
  },
  {
    title: '`eval` around captured names',
    bad: job({
      top: 'const threshold = 3;',
      body: "orders.filter((row) => ⟪eval('row.offset > threshold') as boolean).print(); void threshold;",
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ["eval('row.offset > threshold')", 'plain code'],
    good: job({
      top: 'const threshold = 3;\nconst evaluate = { eval: (text: string) => text.length };',
      body: 'orders.filter((row) => evaluate.eval(row.value) > threshold).print(); orders.map((0, eval)).print();',
    }),
  },
  {
    title: '`eval` deep inside of a lambda',
    bad: job({
      body: 'orders.map((row) => [row.value].map((text) => () => ⟪eval(text) as number)).print();',
    }),
    codes: ['CLOSURE_NOT_SHIPPABLE'],
    fix: ['eval(text)'],
    good: job({
      body: 'orders.map((row) => [row.value].map((text) => () => new Function("text", "return text.length")(text) as number).length).print();',
    }),
  },
];

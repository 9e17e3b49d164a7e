import { type CorpusCase, job } from './corpus-case.ts';

const api = (version: string): string =>
  `{ "name": "@millrace/api", "version": "${version}", "type": "module", "main": "index.js" }`;

/** What is wrong with a module or a package before anything is evaluated, or while it is. */
export const MODULES: readonly CorpusCase[] = [
  {
    title: 'top-level await in the job module',
    bad: job({
      top: 'const load = () => Promise.resolve(5);\nconst limit = ⟪await load();',
      body: 'orders.filter((row) => row.offset < limit).print();',
    }),
    codes: ['JOB_TOP_LEVEL_AWAIT'],
    fix: ['the function given to defineJob', 'const limit = await load()'],
    good: job({
      async: true,
      top: 'const load = () => Promise.resolve(5);',
      body: 'const limit = await load(); orders.filter((row) => row.offset < limit).print();',
    }),
  },
  {
    title: 'top-level await in a helper, in a block',
    bad: job({
      top: "import { limit } from './lib/limit.ts';",
      body: 'orders.filter((row) => row.offset < limit).print();',
      files: {
        'lib/limit.ts':
          'export let limit = 0;\nif (limit === 0) {\n  limit = ⟪await Promise.resolve(5);\n}\n',
      },
    }),
    codes: ['JOB_TOP_LEVEL_AWAIT'],
    fix: ['await Promise.resolve(5)'],
    good: job({
      async: true,
      top: "import { limit } from './lib/limit.ts';",
      body: 'const n = await limit(); orders.filter((row) => row.offset < n).print();',
      files: {
        'lib/limit.ts': 'export const limit = async () => {\n  return await Promise.resolve(5);\n};\n',
      },
    }),
  },
  {
    title: 'top-level for await',
    bad: job({
      top: 'const names: string[] = [];\n⟪for await (const name of [Promise.resolve("a")]) names.push(name);',
      body: 'orders.filter((row) => names.includes(row.value)).print();',
    }),
    codes: ['JOB_TOP_LEVEL_AWAIT'],
    fix: ['defineJob'],
    good: job({
      top: "import { names } from './lib/names.ts';",
      body: 'orders.filter((row) => names.includes(row.value)).print();',
      files: {
        'lib/names.ts':
          "'use executor';\nexport const names: string[] = [];\nfor await (const name of [Promise.resolve('a')]) names.push(name);\n",
      },
    }),
  },
  {
    title: 'top-level await using',
    bad: job({
      top: 'const lock = () => ({ [Symbol.asyncDispose]: async () => undefined });\n⟪await using held = lock();',
      body: 'orders.print();',
    }),
    codes: ['JOB_TOP_LEVEL_AWAIT'],
    fix: ['await using held = …'],
    good: job({
      top: 'const lock = () => ({ [Symbol.asyncDispose]: async () => undefined });',
      body: 'await using held = lock(); void held; orders.print();',
      async: true,
    }),
  },
  {
    title: 'a syntax error',
    bad: job({ top: 'const limit = ⟪;', body: 'orders.print();' }),
    codes: ['BUNDLE_FAILED'],
    fix: ['correct the syntax'],
    good: job({ top: 'const limit = undefined;', body: 'orders.filter(() => limit === undefined).print();' }),
  },
  {
    title: 'a package that is not installed, and a file that is not there',
    bad: job({
      top: "import { pad } from ⟪'left-padder';\nimport { gone } from ⟪'./lib/gone.ts';",
      body: 'orders.map((row) => pad(row.value) + gone).print();',
    }),
    codes: ['IMPORT_UNRESOLVED', 'IMPORT_UNRESOLVED'],
    fix: ['npm install left-padder'],
    says: ["correct the path './lib/gone.ts'"],
    good: job({
      top: "import { pad } from './lib/left-padder.ts';\nconst text = \"import { gone } from './gone.ts'\";",
      body: 'orders.map((row) => pad(row.value) + text).print();',
      files: { 'lib/left-padder.ts': 'export const pad = (text: string) => text.padStart(5);\n' },
    }),
  },
  {
    title: 'a name that a file does not export',
    bad: job({
      top: "import { ⟪limits } from './lib/limit.ts';",
      body: 'orders.filter((row) => row.offset < limits).print();',
      files: { 'lib/limit.ts': 'export const limit = 1;\n' },
    }),
    codes: ['BUNDLE_FAILED'],
    fix: ['export `limits` there'],
    says: ["'lib/limit.ts' does not export `limits`"],
    good: job({
      top: "import { limit as limits, type Limit } from './lib/limit.ts';",
      body: 'orders.filter((row) => row.offset < (limits as Limit)).print();',
      files: { 'lib/limit.ts': 'export const limit = 1;\nexport type Limit = number;\n' },
    }),
  },
  {
    title: 'a package with a native addon',
    bad: job({
      top: "import { speak } from ⟪'native-thing';",
      body: 'orders.map((row) => speak(row.value)).print();',
      files: {
        'node_modules/native-thing/package.json':
          '{ "name": "native-thing", "main": "index.js", "gypfile": true }',
        'node_modules/native-thing/index.js': 'exports.speak = (text) => text;\n',
      },
    }),
    codes: ['NATIVE_ADDON'],
    fix: ['--external native-thing'],
    good: job({
      top: "import { speak } from 'plain-thing';",
      body: 'orders.map((row) => speak(row.value)).print();',
      files: {
        'node_modules/plain-thing/package.json': '{ "name": "plain-thing", "main": "index.js" }',
        'node_modules/plain-thing/index.js': 'exports.speak = (text) => text;\n',
      },
    }),
  },
  {
    title: 'two versions of @millrace/api',
    bad: job({
      top: "import { shout } from './lib/src/shout.ts';",
      body: 'orders.map((row) => shout(row.value)).print();',
      files: {
        'lib/src/shout.ts':
          "import { json } from ⟪'@millrace/api';\nexport const shout = (text: string) => [text, typeof json];\n",
        'lib/node_modules/@millrace/api/package.json': api('0.2.0'),
        'lib/node_modules/@millrace/api/index.js': 'export const json = 1;\n',
      },
    }),
    codes: ['API_VERSION_MISMATCH'],
    fix: ['npm install @millrace/api@0.1.0'],
    says: ['@millrace/api 0.2.0'],
    good: job({
      top: "import { shout } from './lib/src/shout.ts';",
      body: 'orders.map((row) => shout(row.value)).print();',
      files: {
        'lib/src/shout.ts':
          "import { json } from '@millrace/api';\nexport const shout = (text: string) => [text, typeof json];\n",
        'lib/node_modules/@millrace/api/package.json': api('0.1.7'),
        'lib/node_modules/@millrace/api/index.js': 'export const json = 1;\n',
      },
    }),
  },
  {
    title: 'a package that brings its own version of @millrace/api',
    bad: job({
      top: "import { operators } from 'operators';",
      body: 'orders.map(() => operators).print();',
      files: {
        'node_modules/operators/package.json':
          '{ "name": "operators", "type": "module", "main": "index.js" }',
        'node_modules/operators/index.js':
          "import { json } from '@millrace/api';\nexport const operators = typeof json;\n",
        'node_modules/operators/node_modules/@millrace/api/package.json': api('1.0.0'),
        'node_modules/operators/node_modules/@millrace/api/index.js': 'export const json = 1;\n',
      },
    }),
    codes: ['API_VERSION_MISMATCH'],
    fix: ['npm install @millrace/api@'],
    says: ['node_modules/operators/index.js', '@millrace/api 1.0.0'],
    good: job({
      top: "import { operators } from 'operators';",
      body: 'orders.map(() => operators).print();',
      files: {
        'node_modules/operators/package.json':
          '{ "name": "operators", "type": "module", "main": "index.js" }',
        'node_modules/operators/index.js':
          "import { json } from '@millrace/api';\nexport const operators = typeof json;\n",
      },
    }),
  },
  {
    title: 'a module that throws',
    bad: job({
      top: 'const settings: { list?: string[] } = {};\nconst size = settings.list!.⟪length;',
      body: 'orders.filter(() => size > 0).print();',
    }),
    codes: ['JOB_EVALUATION_FAILED'],
    fix: ['throws at its top level'],
    says: ['> 3 | const size = settings.list!.length;'],
    good: job({
      top: 'const settings: { list?: string[] } = {};\nconst size = settings.list?.length ?? 0;',
      body: 'orders.filter(() => size > 0).print();',
    }),
  },
  {
    title: 'a module without a job',
    bad: { 'job.ts': 'export const job = 1;\n' },
    codes: ['JOB_NO_DEFAULT_EXPORT'],
    fix: ['export default defineJob('],
    says: ['it exports job'],
    good: job({ body: 'orders.print();' }),
  },
  {
    title: 'a job without an output',
    bad: {
      'job.ts':
        "import { defineJob } from '@millrace/api';\nexport default ⟪defineJob({ name: 'a', batchInterval: '1s' }, () => undefined);\n",
    },
    codes: ['NO_OUTPUT_OPERATION'],
    fix: ['foreachRDD'],
    good: job({ body: 'orders.foreachRDD(() => undefined);' }),
  },
];

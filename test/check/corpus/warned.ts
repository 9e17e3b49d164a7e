import type { WarningCode } from '@millrace/closures';
import { type CorpusCase, job } from './corpus-case.ts';

export interface WarnedCase extends Omit<CorpusCase, 'codes' | 'says'> {
  readonly codes: readonly WarningCode[];
  readonly says: readonly string[];
}

/** Jobs that pass with a warning, and near ones that pass without. */
export const WARNED: readonly WarnedCase[] = [
  {
    title: 'a capture above 1 MiB',
    bad: job({
      top: 'const limit = 1;\nconst table = new Uint8Array(2_000_000);',
      body: 'orders.filter((row) => (⟪table[row.offset] ?? 0) > limit).print();',
    }),
    codes: ['CAPTURE_LARGE'],
    fix: ['const shared = ssc.broadcast(table)', 'shared.value'],
    says: ['captures 1.9 MB, most of it in `table`', 'declared here'],
    good: job({
      top: 'const table = new Uint8Array(1_000_000);\nconst big = new Uint8Array(2_000_000);',
      body: 'const shared = ssc.broadcast(big); orders.filter((row) => (table[row.offset] ?? 0) > shared.value.length).print();',
    }),
  },
  {
    title: 'a capture above 1 MiB that a helper brings along',
    bad: job({
      top: "import { priceOf } from './lib/prices.ts';",
      body: 'orders.map((row) => ⟪priceOf(row.value)).print();',
      files: {
        'lib/prices.ts':
          'const prices = new Map(Array.from({ length: 100_000 }, (_, i) => [`product-${i}`, i]));\nexport const priceOf = (name: string) => prices.get(name);\n',
      },
    }),
    codes: ['CAPTURE_LARGE'],
    fix: ['ssc.broadcast('],
    says: ['most of it in `priceOf`'],
    good: job({
      top: "import { priceOf } from './lib/prices.ts';",
      body: 'orders.map((row) => priceOf(row.value)).print();',
      files: {
        'lib/prices.ts':
          'const prices = new Map(Array.from({ length: 1000 }, (_, i) => [`product-${i}`, i]));\nexport const priceOf = (name: string) => prices.get(name);\n',
      },
    }),
  },
  {
    title: 'a captured password, in every spelling of its name',
    bad: job({
      top: "const dbPassword = 'hunter2'; const API_KEY = 'hunter2-'; const config = { url: 'x', auth: { 'client-secret': 'hunter2' } };",
      body: 'orders.map((row) => [row.value, ⟪dbPassword, ⟪API_KEY, ⟪config.url]).print();',
    }),
    codes: ['CAPTURE_SECRET', 'CAPTURE_SECRET', 'CAPTURE_SECRET'],
    fix: ['const dbPassword = perExecutor(() => process.env.DB_PASSWORD)', 'dbPassword()'],
    says: ['`config.auth[\\"client-secret\\"]`', 'process.env.CLIENT_SECRET'],
    good: job({
      top: `const passwordLength = 8; const secretary = 'Jane Doe'; const tokens = ['hunter']; const token = ','; const keyName = 'customer';
const dbPassword = perExecutor(() => process.env['DB_PASSWORD'] ?? '');`,
      body: 'orders.map((row) => [row.value, passwordLength, secretary, tokens, token, keyName, dbPassword()]).print();',
    }),
  },
  {
    title: 'a secret in an object',
    bad: job({
      top: "const db = { host: 'db.example.com', login: { dbPassword: 'hunter2' } };",
      body: 'orders.map((row) => `${⟪db.host}/${row.value}`.length + Object.keys(db).length).print();',
    }),
    codes: ['CAPTURE_SECRET'],
    fix: ['const dbPassword = perExecutor(() => process.env.DB_PASSWORD)'],
    says: ['`db.login.dbPassword`'],
    good: job({
      top: "const db = { host: 'db.example.com' };",
      body: 'orders.map((row) => `${db.host}/${row.value}`.length + Object.keys(db).length).print();',
    }),
  },
  {
    title: 'a secret that its form gives away',
    bad: job({
      top: "const target = 'postgres://app:hunter2@db.example.com/orders'; const list = new Map([['de', 'ghp_hunter2hunter2hunter2hunter2hunter2']]);",
      body: 'orders.map((row) => ⟪target + ⟪list.get(row.value)).print();',
    }),
    codes: ['CAPTURE_SECRET', 'CAPTURE_SECRET'],
    fix: ['const target = perExecutor(() => process.env.TARGET)'],
    says: ['•••'],
    good: job({
      top: "const target = 'postgres://app@db.example.com/orders'; const list = new Map([['de', 'https://example.com/a:b@c'], ['fr', 'ghp_']]);",
      body: 'orders.map((row) => target + list.get(row.value)).print();',
    }),
  },
  {
    title: 'a secret behind a helper of another file',
    bad: job({
      top: "import { sign } from './lib/sign.ts';",
      body: 'orders.map((row) => sign(row.value)).print();',
      files: {
        'lib/sign.ts':
          "import { createHmac } from 'node:crypto';\nconst signingKey = 's3cr3t-s3cr3t';\nexport const sign = (text: string) => createHmac('sha256', ⟪signingKey).update(text).digest('hex');\n",
      },
    }),
    codes: ['CAPTURE_SECRET'],
    fix: ['process.env.SIGNING_KEY'],
    says: ['→ sign (lib/sign.ts:3)'],
    good: job({
      top: "import { sign } from './lib/sign.ts';",
      body: 'orders.map((row) => sign(row.value)).print();',
      files: {
        'lib/sign.ts':
          "import { createHmac } from 'node:crypto';\nexport const sign = (text: string) => createHmac('sha256', process.env['SIGNING_KEY'] ?? '').update(text).digest('hex');\n",
      },
    }),
  },
  {
    title: '`process.env` at the top level',
    bad: job({
      top: "import host, { env } from 'node:process';\nconst topic = ⟪process.env.TOPIC ?? 'orders';\nconst region = ⟪env['REGION'];\nconst zone = ⟪host.env.ZONE;\nclass Settings { static readonly all = { ...⟪process.env }; }",
      body: 'orders.map((row) => [row.value, topic, region, zone]).print(); void Settings;',
    }),
    codes: ['ENVIRONMENT_AT_LOAD', 'ENVIRONMENT_AT_LOAD', 'ENVIRONMENT_AT_LOAD', 'ENVIRONMENT_AT_LOAD'],
    fix: ["env('TOPIC') of @millrace/api", '--env TOPIC='],
    says: ["env('REGION')"],
    good: job({
      top: "import { env } from '@millrace/api';\nconst topic = env('TOPIC', 'orders');\nconst region = () => process.env['REGION'];\nconst { process: other } = { process: { env: { A: 1 } } };",
      body: 'orders.map((row) => [row.value, topic, region(), other.env.A]).print();',
    }),
  },
  {
    title: 'the time, read once',
    bad: job({
      top: "import { startedAt } from './lib/start.ts';\nconst config = { from: Date.now() };",
      body: 'const day = new Date().getDay(); orders.map((row) => [row.value, ⟪startedAt, ⟪config.from, ⟪day]).print();',
      files: { 'lib/start.ts': 'export const startedAt = new Date().toISOString();\n' },
    }),
    codes: ['CAPTURE_FIXED', 'CAPTURE_FIXED', 'CAPTURE_FIXED'],
    fix: ['call new Date() inside the lambda instead of capturing `startedAt`'],
    says: ['`Date.now()`', 'lib/start.ts'],
    good: job({
      top: `import { startedAt } from './lib/start.ts';
const epoch = new Date(0); const now = () => Date.now(); const config = { now: () => new Date() };
let latest = Date.now();`,
      body: `console.debug(startedAt);
  orders.map((row) => [row.value, epoch, now(), config.now(), latest, Date.now()]).foreachRDD(() => { latest = Date.now(); });`,
      files: { 'lib/start.ts': 'export const startedAt = new Date().toISOString();\n' },
    }),
  },
  {
    title: 'a random value, drawn once',
    bad: job({
      top: "import { randomUUID } from 'node:crypto';\nconst run = randomUUID();\nconst sample = Math.floor(Math.random() * 10);",
      body: 'orders.map((row) => [row.value, ⟪run, ⟪sample]).print();',
    }),
    codes: ['CAPTURE_FIXED', 'CAPTURE_FIXED'],
    fix: ['call randomUUID() inside the lambda', '`run`'],
    says: ['`Math.random()`'],
    good: job({
      top: `import { randomUUID } from 'node:crypto';
const random = { Math: { random: () => 4 } }; const fixed = random.Math.random(); const make = () => randomUUID();
class Dice { roll = () => Math.random(); }
const dice = new Dice();`,
      body: 'orders.map((row) => [row.value, fixed, make(), dice.roll()]).print();',
    }),
  },
  {
    title: 'lambdas inside foreachRDD and transform that will not ship',
    bad: job({
      body: `let seen = 0; let last = 0;
  orders.foreachRDD((rdd) => {
    if (rdd.id > 0) rdd.filter((row) => row.offset > 1).map((row) => { ⟪seen++; return ⟪last = row.offset; });
    if (rdd.id > 0) rdd.map(() => ⟪rdd.count());
  });
  orders.transform((rows) => rows.map(() => ⟪import.meta.url)).print();`,
    }),
    codes: ['OUTPUT_LAMBDA', 'OUTPUT_LAMBDA', 'OUTPUT_LAMBDA', 'OUTPUT_LAMBDA'],
    fix: ['const seen = ssc.accumulator(0)'],
    says: [
      'const last = perExecutor',
      'const rows = await rdd.collect()',
      'const url = import.meta.url',
      'given to map',
    ],
    good: job({
      body: `let seen = 0; let last = 0;
  orders.foreachRDD(async (rdd) => {
    const rows = await rdd.map((row) => { let own = last; own++; return own; }).collect();
    rows.map((row) => { seen += row; });
    await rdd.collect().then((all) => { last = all.length; });
    [1].forEach((rdd) => { [2].map(() => { seen += rdd; }); });
  });
  orders.transform((rdd) => { seen++; return rdd; }).print();`,
    }),
  },
];

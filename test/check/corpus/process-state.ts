import { type CorpusCase, job, VENDOR } from './corpus-case.ts';

const ONCE = (name: string): string => `const ${name} = perExecutor(() => …)`;

/** Values that belong to the process that made them. */
export const PROCESS_STATE: readonly CorpusCase[] = [
  {
    title: 'a socket in an object',
    bad: job({
      top: "import { Socket } from 'node:net';\nconst audit = { name: 'a', socket: new Socket() };",
      body: 'orders.map((row) => ⟪audit.socket.write(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('audit'), 'call audit() inside'],
    says: ['captured `audit` → `audit.socket` is a Socket'],
    good: job({
      top: "import { Socket } from 'node:net';\nconst audit = perExecutor(() => ({ name: 'a', socket: new Socket() }));",
      body: 'orders.map((row) => audit().socket.write(row.value)).print();',
    }),
  },
  {
    title: 'a socket behind two helpers of two files',
    bad: job({
      top: "import { save } from './lib/save.ts';\nconst keep = (text: string) => save(text);",
      body: 'orders.map((row) => keep(row.value)).print();',
      files: {
        'lib/save.ts':
          "import { db } from './db.ts';\nexport const save = (text: string) => ⟪db.write(text);\n",
        'lib/db.ts': "import { Socket } from 'node:net';\nexport const db = new Socket();\n",
      },
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('db')],
    says: ['→ keep (job.ts:3) → save (lib/save.ts:2)', 'lib/db.ts\n', 'declared here'],
    good: job({
      top: "import { save } from './lib/save.ts';\nconst keep = (text: string) => save(text);",
      body: 'orders.map((row) => keep(row.value)).print();',
      files: {
        'lib/save.ts':
          "import { db, name } from './db.ts';\nexport const save = (text: string) => name + text;\nexport const send = (text: string) => db.write(text);\n",
        'lib/db.ts':
          "import { Socket } from 'node:net';\nexport const db = new Socket();\nexport const name = 'db';\n",
      },
    }),
  },
  {
    title: 'a socket in a namespace of an own file',
    bad: job({
      top: "import * as lib from './lib.ts';",
      body: 'orders.map(() => Object.keys(⟪lib).length).print();',
      files: {
        'lib.ts':
          "import { Socket } from 'node:net';\nexport const db = new Socket();\nexport const size = 1;\n",
      },
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('db')],
    says: ['captured `lib` → `lib.db` is a Socket'],
    good: job({
      top: "import * as lib from './lib.ts';",
      body: 'orders.map(() => lib.size).print();',
      files: {
        'lib.ts':
          "import { Socket } from 'node:net';\nexport const db = new Socket();\nexport const size = 1;\n",
      },
    }),
  },
  {
    title: 'a socket in the factory of perExecutor',
    bad: job({
      top: "import { Socket } from 'node:net';\nconst socket = new Socket();\nconst db = perExecutor(() => ({ socket: ⟪socket }));",
      body: 'orders.map((row) => db().socket.write(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('socket')],
    says: ['lambda (job.ts:11) → factory of perExecutor (job.ts:4)'],
    good: job({
      top: "import { Socket } from 'node:net';\nconst db = perExecutor(() => ({ socket: new Socket() }));",
      body: 'orders.map((row) => db().socket.write(row.value)).print();',
    }),
  },
  {
    title: 'perExecutor of what is no function',
    bad: job({
      top: 'const cache = ⟪perExecutor(new Map() as never) as () => Map<string, string>;',
      body: 'orders.map((row) => cache().get(row.value)).print();',
    }),
    codes: ['JOB_INVALID'],
    fix: ['perExecutor(() => …)'],
    says: ['got object', '^^^^^^^^^^^'],
    good: job({
      top: 'const cache = perExecutor(() => new Map<string, string>());',
      body: 'orders.map((row) => cache().get(row.value)).print();',
    }),
  },
  {
    title: 'a module object with a hundred functions, as one problem',
    bad: job({
      top: "import { createRequire } from 'node:module';\nconst zlib = createRequire(import.meta.url)('node:zlib');",
      body: 'orders.map((row) => ⟪zlib.gzipSync(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const zlib = perExecutor'],
    good: job({
      top: "import zlib from 'node:zlib';",
      body: 'orders.map((row) => zlib.gzipSync(row.value)).print();',
    }),
  },
  {
    title: 'a socket in a variable that is no ASCII',
    bad: job({
      top: "import { Socket } from 'node:net';\n\tconst größe = new Socket();",
      body: "\torders.map((row) => ['🎉', ⟪größe.write(row.value)]).print();",
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('größe')],
    says: ['\t      ----- declared here'],
    good: job({
      top: 'const größe = 3;',
      body: "orders.map((row) => ['🎉', größe, row.value]).print();",
    }),
  },
  {
    title: 'a server',
    bad: job({
      top: "import { createServer } from 'node:http';\nconst server = createServer();",
      body: 'orders.filter(() => ⟪server.listening).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('server')],
    good: job({
      top: "import { createServer } from 'node:http';\nconst server = createServer();\nconst { listening } = server;",
      body: 'orders.filter(() => listening).print();',
    }),
  },
  {
    title: 'a stream',
    bad: job({
      top: "import { PassThrough } from 'node:stream';\nconst out = new PassThrough();",
      body: 'orders.map((row) => ⟪out.write(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('out')],
    good: job({
      top: "import { PassThrough } from 'node:stream';",
      body: 'orders.map((row) => new PassThrough().write(row.value)).print();',
    }),
  },
  {
    title: 'standard output in a variable',
    bad: job({
      top: 'const { stdout } = process;',
      body: 'orders.map((row) => ⟪stdout.write(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('stdout')],
    good: job({ body: 'orders.map((row) => process.stdout.write(row.value)).print();' }),
  },
  {
    title: 'a web stream',
    bad: job({
      top: 'const readable = new ReadableStream();',
      body: 'orders.map(() => ⟪readable.locked).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('readable')],
    good: job({ body: 'orders.map(() => new ReadableStream().locked).print();' }),
  },
  {
    title: 'a promise',
    bad: job({
      top: 'const prices = Promise.resolve(new Map([["de", 120]]));',
      body: 'orders.map((row) => [row.value, ⟪prices]).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const value = await prices'],
    good: job({
      async: true,
      top: 'const prices = Promise.resolve(new Map([["de", 120]]));',
      body: 'const known = await prices; orders.map((row) => [row.value, known.get("de")]).print();',
    }),
  },
  {
    title: 'a promise in a Map in an array',
    bad: job({
      top: 'const list = [{ byName: new Map([["de", Promise.resolve(1)]]) }];',
      body: 'orders.map((row) => ⟪list[0]?.byName.has(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['await list'],
    says: ['`list[0].byName.get("de")` is a Promise'],
    good: job({
      top: 'const list = [{ byName: new Map([["de", () => Promise.resolve(1)]]) }];',
      body: 'orders.map((row) => list[0]?.byName.has(row.value)).print();',
    }),
  },
  {
    title: 'a WeakMap',
    bad: job({
      top: 'const seen = new WeakMap<object, number>();',
      body: 'orders.filter((row) => !⟪seen.has(row)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('seen')],
    good: job({
      top: 'const seen = new Map<string, number>();',
      body: 'orders.filter((row) => !seen.has(row.value) && new WeakSet().has(row) === false).print();',
    }),
  },
  {
    title: 'a WeakRef',
    bad: job({
      top: 'const ref = new WeakRef({ a: 1 });',
      body: 'orders.map(() => ⟪ref.deref()?.a).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('ref')],
    good: job({
      top: 'const ref = { deref: () => ({ a: 1 }) };',
      body: 'orders.map(() => ref.deref().a).print();',
    }),
  },
  {
    title: 'a worker',
    bad: job({
      top: "import { Worker } from 'node:worker_threads';\nconst worker = new Worker('', { eval: true });",
      body: 'orders.map((row) => ⟪worker.postMessage(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('worker')],
    good: job({
      top: "import { Worker } from 'node:worker_threads';\nconst worker = perExecutor(() => new Worker('', { eval: true }));",
      body: 'orders.map((row) => worker().postMessage(row.value)).print();',
    }),
  },
  {
    title: 'a message port',
    bad: job({
      top: 'const { port1 } = new MessageChannel();',
      body: 'orders.map((row) => ⟪port1.postMessage(row.value)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('port1')],
    good: job({ top: 'const port1 = 8080;', body: 'orders.map((row) => row.offset + port1).print();' }),
  },
  {
    title: 'an abort signal',
    bad: job({
      top: 'const { signal } = new AbortController();',
      body: 'orders.filter(() => !⟪signal.aborted).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('signal')],
    good: job({
      top: 'const signal = { aborted: false };',
      body: 'orders.filter(() => !signal.aborted && AbortSignal.timeout(1000).aborted).print();',
    }),
  },
  {
    title: 'a timer',
    bad: job({
      top: 'const timer = setTimeout(() => undefined, 1).unref();',
      body: 'orders.map(() => ⟪timer.hasRef()).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('timer')],
    good: job({
      top: 'const timer = { ms: 5 };',
      body: 'orders.mapAsync((row) => new Promise((done) => setTimeout(done, timer.ms, row.value))).print();',
    }),
  },
  {
    title: "an instance of one of Node's classes",
    bad: job({
      top: "import { AsyncLocalStorage } from 'node:async_hooks';\nconst store = new AsyncLocalStorage<number>();",
      body: 'orders.map(() => ⟪store.getStore()).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('store')],
    good: job({
      top: "import { AsyncLocalStorage } from 'node:async_hooks';",
      body: 'orders.map((row) => new AsyncLocalStorage<number>().run(row.offset, () => 1)).print();',
    }),
  },
  {
    title: 'a generator that is under way',
    bad: job({
      top: 'const ids = (function* () { let id = 0; while (true) yield id++; })();',
      body: 'orders.map(() => ⟪ids.next().value).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('ids')],
    good: job({
      top: 'const ids = function* () { let id = 0; while (true) yield id++; };',
      body: 'orders.map(() => ids().next().value).print();',
    }),
  },
  {
    title: 'an iterator',
    bad: job({
      top: 'const rest = new Map([["a", 1]]).entries();',
      body: 'orders.map(() => ⟪rest.next().done).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const values = [...rest]'],
    good: job({
      top: 'const rest = [...new Map([["a", 1]]).entries()];',
      body: 'orders.map(() => rest.length).print();',
    }),
  },
  {
    title: 'a Proxy',
    bad: job({
      top: 'const names = new Proxy<Record<string, string>>({}, { get: (_, key) => String(key) });',
      body: 'orders.map((row) => ⟪names[row.value]).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('names')],
    good: job({
      top: 'const names = perExecutor(() => new Proxy<Record<string, string>>({}, { get: (_, key) => String(key) }));',
      body: 'orders.map((row) => names()[row.value]).print();',
    }),
  },
  {
    title: 'a unique symbol',
    bad: job({ top: "const mark = Symbol('mark');", body: 'orders.map(() => String(⟪mark)).print();' }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['const mark = Symbol.for("mark")'],
    good: job({
      top: "const mark = Symbol.for('mark');",
      body: 'orders.map(() => [mark.description, Symbol.iterator.description].join()).print();',
    }),
  },
  {
    title: 'a getter that throws',
    bad: job({
      top: "const settings = { get limit(): number { throw new Error('not yet'); } };",
      body: 'orders.filter((row) => row.offset < ⟪settings.limit).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['settings'],
    says: ['its getter `limit` threw: not yet'],
    good: job({
      top: "class Settings { get limit(): number { throw new Error('not yet'); } }\nconst settings = new Settings();",
      body: 'orders.filter((row) => row.offset < (settings ? 1 : 2)).print();',
    }),
  },
  {
    title: 'an instance with private fields',
    bad: job({
      top: 'class Vault { #key = 1; open(n: number) { return n + this.#key; } }\nconst vault = new Vault();',
      body: 'orders.map((row) => ⟪vault.open(row.offset)).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['Vault', 'millrace.serialize'],
    says: ['class Vault has #private fields'],
    good: job({
      top: `class Vault {
  #key = 1;
  open(n: number) { return n + this.#key; }
  static [Symbol.for('millrace.serialize')](vault: Vault) { return vault.#key; }
  static [Symbol.for('millrace.deserialize')](key: number) { const vault = new Vault(); vault.#key = key; return vault; }
}
const vault = new Vault();`,
      body: 'orders.map((row) => vault.open(row.offset) + new Vault().open(1)).print();',
    }),
  },
  {
    title: 'an instance whose base class has private fields',
    bad: job({
      top: 'class Base { #key = 1; get key() { return this.#key; } }\nclass Vault extends Base { private pin = 2; sum() { return this.pin; } }\nconst vault = new Vault();',
      body: 'orders.map(() => ⟪vault.sum()).print();',
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: ['Vault'],
    says: ['class Base has #private fields'],
    good: job({
      top: 'class Base { private key = 1; get shown() { return this.key; } }\nclass Vault extends Base { static #made = 0; private pin = 2; sum() { return this.pin + Vault.#made; } }\nconst vault = new Vault();',
      body: 'orders.map(() => vault.sum()).print();',
    }),
  },
  {
    title: "a package's instance with private fields",
    bad: job({
      top: "import { Sealed } from 'vendor';\nconst price = new Sealed(5);",
      body: 'orders.map(() => ⟪price.cents).print();',
      files: VENDOR,
    }),
    codes: ['CLOSURE_CAPTURE'],
    fix: [ONCE('price')],
    says: ['class Sealed has #private fields'],
    good: job({
      top: "import { Money, Sealed } from 'vendor';\nconst price = new Money(5);",
      body: 'orders.map(() => price.add(price).cents + new Sealed(1).cents).print();',
      files: VENDOR,
    }),
  },
];

// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { memoize } from 'lodash-es';
import { DateTime } from 'luxon';

import fs = require('node:fs');

import { createServer, Socket } from 'node:net';
import { closureJob, refused } from './lib/closure-job.ts';
import * as connections from './lib/connection.mts';
import { conn, early as shipEarly, socket } from './lib/everything.mts';

const db = { name: 'db', conn: new Socket() };
const helper = (x: number) => save(x);
const save = (x: number) => {
  db.conn.write(String(x));
  return x;
};
let counter = 0;
class Vault {
  #k = 1;
  get() {
    return this.#k;
  }
  opener() {
    return (other: Vault) => other.#k;
  }
}
const vault = new Vault();
const kind = Symbol('kind');
const branded = { [kind]: 1 };
const list = [{ a: new Map([['k', Promise.resolve(1)]]) }];
const server = createServer();
const shared = new Uint8Array(new SharedArrayBuffer(4));
function withArguments(..._rest: unknown[]) {
  return (x: number) => x + arguments.length;
}
class Base {
  m() {
    return 1;
  }
}
class Derived extends Base {
  lambda() {
    return () => super.m();
  }
}
const withSuper = {
  m() {
    return super.toString();
  },
};
const fromEval = new Function('x', 'return x + 1') as (x: number) => number;
const early = () => late;
const usesClass = () => new Late();

const tooEarly = (make: () => unknown): (() => unknown) => make;
let caughtAtTop = '';
try {
  caughtAtTop = String(early());
} catch (error) {
  caughtAtTop = (error as Error).name;
}
const late = caughtAtTop;
class Late {}

let slot = 'first';
class ChangedKey {
  [slot]() {
    return 1;
  }
}
slot = 'second';
const register = (target: any) => target;
@register
class Decorated {
  x = 1;
}
class WithDecoratedMethod {
  @((_target: any, _key: any, descriptor: any) => descriptor)
  m() {
    return 1;
  }
}
(globalThis as any).userHelper = memoize((x: number) => x);
const fromGlobal = (globalThis as any).userHelper as (x: number) => number;
const memoized = memoize((x: number) => x);
const when = DateTime.fromISO('2026-01-02');
class JobWithContext {
  factor = 2;
  constructor(private readonly context: unknown) {}
  scale(x: number) {
    return x * this.factor + (this.context ? 1 : 0);
  }
  lambda() {
    return (x: number) => this.scale(x);
  }
}
const transferred = new Uint8Array([1, 2]);
structuredClone(transferred, { transfer: [transferred.buffer] });
class Hidden {
  #n = 1;
  static of = () => new Hidden();
  n() {
    return this.#n;
  }
}
class HeirOfHidden extends Hidden {}
let total = 0;
const add = (x: number) => {
  total += x;
  return x;
};

export default closureJob('closures-refused', {
  'a value of another file, its declaration shown': refused(
    () => () => socket.destroyed,
    /^CLOSURE_CAPTURE: [^]*captured `socket` is a Socket[^]*captured here[^]*lib\/connection\.mts[^]*export const socket = new Socket\(\)[^]*declared here/,
  ),
  'a destructured export of another file, its declaration shown': refused(
    () => () => conn.destroyed,
    /^CLOSURE_CAPTURE: [^]*`conn` is a Socket[^]*lib\/connection\.mts[^]*export const \{ conn \}[^]*declared here/,
  ),
  'a member of a namespace of another file, its declaration shown': refused(
    () => () => connections.socket.destroyed,
    /^CLOSURE_CAPTURE: [^]*`connections\.socket` is a Socket[^]*lib\/connection\.mts[^]*export const socket[^]*declared here/,
  ),
  'a variable of another file that is not there yet': refused(
    ({ rows }) => shipEarly((f) => rows.map(f)),
    /^CLOSURE_USE_BEFORE_INIT: [^]*lib\/connection\.mts[^]*Cannot access 'notYet' before initialization[^]*\^ here[^]*declared here/,
  ),
  'a decorated class': refused(
    () => () => new Decorated(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*decorated class[^]*'use executor'/,
  ),
  'a class with a decorated method': refused(() => () => new WithDecoratedMethod(), /decorated class/),
  'a function that a package made': refused(() => memoized, /^CLOSURE_UNTRANSFORMED: [^]*npm package/),
  'a function that a package made, as a global': refused(() => fromGlobal, /^CLOSURE_UNTRANSFORMED/),
  'a function that a package made, captured': refused(
    () => (x: number) => memoized(x),
    /^CLOSURE_CAPTURE: [^]*`memoized` is function[^]*npm package[^]*const memoized = perExecutor/,
  ),
  'an instance of a class that a package keeps for itself': refused(
    () => () => when.year,
    /`when\.\w+` is an? \w+: its class is not reachable/,
  ),
  'this as a whole, when it holds the context': refused(
    ({ ssc }) => new JobWithContext(ssc).lambda(),
    /`this` → `this\.context` is a StreamingContext/,
  ),
  'a class whose computed key may have changed': refused(
    () => () => new ChangedKey(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*computed key of the class reads `slot`, which is assigned again/,
  ),
  'import = require': refused(() => () => fs.existsSync('x'), /^CLOSURE_CAPTURE: [^]*captured `fs`/),
  'memory that was transferred': refused(
    () => () => transferred[0],
    /`transferred` is [^]*transferred to another thread/,
  ),
  'an instance that inherits #private': refused(() => {
    const heir = new HeirOfHidden();
    return () => heir;
  }, /class Hidden has #private fields/),
  'new.target of an outer function': refused(() => {
    function make() {
      return () => new.target;
    }
    return (make as any)();
  }, /^CLOSURE_NOT_SHIPPABLE: [^]*`new\.target`/),
  'a compound assignment in a helper': refused(
    () => (x: number) => add(x),
    /^CLOSURE_WRITES_CAPTURE: [^]*`total`[^]*assigned here[^]*accumulator/,
  ),
  'a dynamic import of the user': refused(
    () => () => {
      void import('./lib/mappers.mts');
    },
    /^CLOSURE_NOT_SHIPPABLE: [^]*own modules at run time/,
  ),
  'timers, streams and signals': refused(() => {
    const all = [setTimeout(() => {}, 0), new ReadableStream(), AbortSignal.timeout(1)];
    return () => all;
  }, /process-local|not reachable/),
  'an iterator under way': refused(() => {
    const each = new Map([[1, 2]]).entries();
    return () => each;
  }, /iterator that is under way/),
  'a weak reference': refused(() => {
    const ref = new WeakRef({});
    return () => ref;
  }, /weak reference/),
  'several problems at once': refused(() => {
    const first = Promise.resolve(1);
    const second = new Socket();
    return () => [first, second, counter++];
  }, /a Promise[^]*a Socket[^]*counter/),
  'a socket in an object': refused(
    () => (x: number) => db.conn.write(String(x)),
    /^CLOSURE_CAPTURE: [^]*`db` → `db\.conn` is a Socket[^]*declared here[^]*captured here[^]*fix: .*const db = perExecutor/,
  ),
  'through helpers': refused(
    () => (x: number) => helper(x),
    /reached through: lambda \(.*\) → helper \(.*\) → save \(/,
  ),
  'a server': refused(() => () => server, /process-local state/),
  'the context': refused(
    ({ ssc }) =>
      () =>
        ssc,
    /`ssc` is a StreamingContext/,
  ),
  'an RDD': refused(
    ({ rows }) =>
      () =>
        rows,
    /`rows` is an RDD/,
  ),
  'counter++': refused(
    () => () => counter++,
    /^CLOSURE_WRITES_CAPTURE: [^]*`counter`[^]*assigned here[^]*accumulator/,
  ),
  'an assignment deep inside': refused(
    () => (x: number) => {
      const g = () => {
        [counter] = [x];
      };
      g();
    },
    /^CLOSURE_WRITES_CAPTURE/,
  ),
  'a promise in data': refused(() => () => list, /`list\[0\]\.a\.get\("k"\)` is a Promise/),
  '#private state': refused(() => () => vault.get(), /class Vault has #private fields/),
  '#private of another place': refused(() => vault.opener(), /private field `#k`/),
  arguments: refused(() => withArguments(1), /^CLOSURE_NOT_SHIPPABLE: .*`arguments`/),
  super: refused(() => new Derived().lambda(), /`super`/),
  'super in an object': refused(() => withSuper.m, /^CLOSURE_/),
  'import.meta': refused(() => () => import.meta.url, /`import\.meta`/),
  eval: refused(() => () => eval('counter'), /`eval`/),
  'new Function': refused(() => fromEval, /^CLOSURE_UNTRANSFORMED/),
  'a unique symbol': refused(() => () => kind, /unique symbol[^]*Symbol\.for/),
  'a unique symbol as key': refused(
    () => () => branded,
    /^CLOSURE_CAPTURE: [^]*`branded \(key Symbol\(kind\)\)`[^]*unique symbol/,
  ),
  'shared memory': refused(() => () => shared, /shared memory/),
  'a variable that is not there yet': refused(() => {
    const lambda = tooEarly(() => soon);
    let text: unknown;
    ((read: () => unknown) => {
      text = read;
    })(lambda);
    return [text as () => unknown][0];
    const soon = 1;
  }, /^CLOSURE_USE_BEFORE_INIT: [^]*Cannot access 'soon'[^]*declared here|^CLOSURE_USE_BEFORE_INIT: [^]*here[^]*declared here/),
  'a throwing getter': refused(() => {
    const o = {
      get x() {
        throw new Error('boom');
      },
    };
    return () => o;
  }, /its getter `x` threw: boom/),
  'a WeakMap': refused(() => {
    const seen = new WeakMap();
    return () => seen;
  }, /weak collections/),
  'a Proxy': refused(() => {
    const p = new Proxy({}, {});
    return () => p;
  }, /a Proxy cannot be read/),
  'a generator under way': refused(() => {
    const g = (function* () {
      yield 1;
    })();
    return () => g;
  }, /generator that is under way/),
});
void usesClass;

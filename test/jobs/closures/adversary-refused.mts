// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { perExecutor } from '@millrace/api';
import { memoize } from 'lodash-es';
import { Remote } from './lib/adv-remote.mts';
import { closureJob, refused } from './lib/closure-job.ts';

let counter = 0;
let target: any = {};
const WRITES = /^CLOSURE_WRITES_CAPTURE: [^]*`(?:counter|target)`[^]*assigned here[^]*fix: /;
class Config {
  static socket = new Socket();
  static name2 = 'config';
}
class WithGetter {
  get connection() {
    return new Socket();
  }
}
const withGetter = {
  get connection() {
    return new Socket();
  },
};
class Cache extends EventEmitter {}
const own = new Cache();
class Marker extends WeakMap<object, number> {}
let n = 0;
class Computed {
  [`k${n++}`]() {
    return 1;
  }
}
const state = { n: 0 };
class ComputedByState {
  [`k${state.n++}`]() {
    return 1;
  }
}
class ComputedByCall {
  static [Math.random()] = 1;
  m() {}
}
const revocable = Proxy.revocable({}, {});
revocable.revoke();
const proxied = new Proxy(() => 1, {});
const behindProxy = Object.create(new Proxy({}, {}));
const sparse: number[] = [];
sparse[2 ** 31] = 1;
const signal = new AbortController();
const lodashFp = () => Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, memoize(() => i)]));

export default closureJob('closures-adversary-refused', {
  'destructuring into a captured variable': refused(
    () => (x: number) => {
      ({ counter } = { counter: x });
    },
    WRITES,
  ),
  'a default in a pattern': refused(
    () => (x: number) => {
      [, counter = x] = [];
    },
    WRITES,
  ),
  'a rest element': refused(
    () => (x: number) => {
      [...target] = [x];
    },
    WRITES,
  ),
  'for of onto a captured variable': refused(
    () => (x: number) => {
      for (counter of [x]);
    },
    WRITES,
  ),
  'for in onto a captured variable': refused(
    () => (x: number) => {
      for (target in { x });
    },
    WRITES,
  ),
  'for await onto a captured variable': refused(
    ({ rows }) =>
      rows.mapAsync(async (x) => {
        for await (counter of [x]);
      }),
    WRITES,
  ),
  '++ in a nested function': refused(
    () => (x: number) => {
      function inner() {
        const deep = () => {
          counter++;
        };
        deep();
      }
      inner();
      return x;
    },
    WRITES,
  ),
  'in a class inside of the lambda': refused(
    () => (x: number) => {
      class A {
        static {
          counter = x;
        }
        field = (counter = 2);
      }
      return new A();
    },
    WRITES,
  ),
  'in a default parameter': refused(
    () =>
      (x: number, _y = (counter = 5)) =>
        x,
    WRITES,
  ),
  'in a computed key': refused(() => (x: number) => ({ [counter++]: x }), WRITES),
  'in a getter': refused(
    () => (x: number) => ({
      get y() {
        return (counter += x);
      },
    }),
    WRITES,
  ),
  'by a logical assignment': refused(
    () => (x: number) => {
      target ??= x;
      target ||= x;
      target &&= x;
    },
    WRITES,
  ),
  'in a template': refused(() => (x: number) => `${counter--}${x}`, WRITES),
  'in a catch, a label and a switch': refused(
    () => (x: number) => {
      a: try {
        throw x;
      } catch {
        switch (x) {
          default:
            counter = x;
            break a;
        }
      }
    },
    WRITES,
  ),
  'by a setter that is shipped': refused(() => {
    const o = (x: number) => x;
    Object.defineProperty(o, 'v', {
      set() {
        counter = 1;
      },
      enumerable: true,
    });
    return o;
  }, WRITES),
  'a function that writes, in data': refused(() => {
    const table = new Map([['f', [() => counter++]]]);
    return () => table;
  }, WRITES),
  'a bound function that writes': refused(() => {
    const f = function (this: any, x: number) {
      counter = x;
    }.bind(null, 1);
    return () => f();
  }, WRITES),
  'a getter that gives a socket': refused(
    () => () => withGetter.connection,
    /captured `withGetter` → `withGetter\.connection` is a Socket/,
  ),
  'a static with a socket': refused(
    () => () => Config.socket.destroyed,
    /^CLOSURE_CAPTURE: [^]*`Config` → `Config\.socket` is a Socket[^]*captured here/,
  ),
  'an emitter of an own class': refused(() => () => own, /`own` is a Cache: it owns process-local state/),
  'a WeakMap of an own class': refused(() => {
    const m = new Marker();
    return () => m;
  }, /weak collections/),
  'a registry for finalization': refused(() => {
    const r = new FinalizationRegistry(() => {});
    return () => r;
  }, /^CLOSURE_CAPTURE/),
  'a proxy as a function': refused(() => () => proxied(), /a Proxy/),
  'a revoked proxy': refused(() => () => revocable, /a Proxy/),
  'an object behind a proxy': refused(() => () => behindProxy, /a Proxy/),
  'iterator helpers': refused(() => {
    const it = [1, 2].values().map((x) => x);
    return () => it;
  }, /^CLOSURE_CAPTURE: [^]*`it` is [^]*iterator that is under way/),
  'a wrapped iterator': refused(() => {
    const it = Iterator.from({ next: () => ({ done: true, value: 1 }) } as any);
    return () => it;
  }, /^CLOSURE_CAPTURE/),
  'an async generator under way': refused(() => {
    const g = (async function* () {
      yield 1;
    })();
    return () => g;
  }, /generator that is under way/),
  'segments of Intl': refused(() => {
    const s = new Intl.Segmenter().segment('ab');
    return () => s;
  }, /^CLOSURE_CAPTURE/),
  'an AbortController': refused(() => () => signal.signal.aborted, /`signal` is an AbortController/),
  'shared memory by itself, and Atomics on it': refused(() => {
    const b = new SharedArrayBuffer(8);
    return () => Atomics.load(new Int32Array(b), 0);
  }, /shared memory/),
  'an AsyncLocalStorage': refused(() => {
    const als = new AsyncLocalStorage();
    return () => als.getStore();
  }, /`als` is an AsyncLocalStorage[^]*perExecutor/),
  'a stream of Node': refused(() => {
    const r = Readable.from([1]);
    return () => r;
  }, /process-local/),
  'a timer in an object': refused(() => {
    const o = { t: setInterval(() => {}, 1e6) };
    clearInterval(o.t);
    return () => o;
  }, /`o\.t` is a Timeout/),
  'the process': refused(() => {
    const p = process;
    return () => p.pid;
  }, /`p` is a process[^]*process-local/),
  'the environment': refused(() => {
    const { env } = process;
    return () => env['HOME'];
  }, /`env` is an object[^]*the environment of this process[^]*fix: write `process`/),
  'the static of a class of another file, through a helper': refused(() => {
    const read = () => Remote.socket.destroyed;
    return () => read();
  }, /^CLOSURE_CAPTURE: [^]*`Remote` → `Remote\.socket` is a Socket[^]*reached through: lambda[^]*const socket = perExecutor/),
  'more problems behind many of one fix': refused(() => {
    const all = { ...lodashFp() };
    const first = new Socket();
    return () => [all, first];
  }, /`first` is a Socket/),
  'a Blob, a Response, a key': refused(() => {
    const all = [new Blob(['x']), new Response('x'), new Headers()];
    return () => all;
  }, /^CLOSURE_CAPTURE/),
  'a module of WebAssembly': refused(() => {
    const m = new WebAssembly.Memory({ initial: 1 });
    return () => m;
  }, /^CLOSURE_CAPTURE/),
  'a computed key that counts': refused(
    () => () => new Computed(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*computed key[^]*const key = `k\$\{n\+\+\}`/,
  ),
  'a computed key that counts in an object': refused(
    () => () => new ComputedByState(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*computed key/,
  ),
  'a computed key that is called': refused(
    () => () => new ComputedByCall(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*computed key/,
  ),
  'perExecutor inside of the lambda': refused(
    () => (x: number) => perExecutor(() => x)(),
    /^CLOSURE_NOT_SHIPPABLE: [^]*perExecutor[^]*fix: [^]*outside/,
  ),
  'an array with two thousand million holes': refused(
    () => () => sparse,
    /^CLOSURE_CAPTURE: [^]*`sparse` is an Array: [^]*holes[^]*const sparse = new Map/,
  ),
  'a DOMException': refused(() => {
    const e = new DOMException('a', 'AbortError');
    return () => e.code;
  }, /^CLOSURE_CAPTURE: [^]*DOMException/),
});
void WithGetter;

import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { awaitThere, createThere, processThere, takeThere } from './suggestion.ts';

const PROCESS_STATE = 'it owns process-local state (listeners, handles)';

const REASONS: readonly (readonly [(value: object) => boolean, string])[] = [
  [(value) => value === process.env, 'it is the environment of this process'],
  [types.isPromise, 'a Promise belongs to this process; `await` it before the lambda captures it'],
  [(value) => value instanceof EventEmitter, PROCESS_STATE],
  [(value) => types.isWeakMap(value) || types.isWeakSet(value), 'weak collections cannot be read'],
  [(value) => tagName(value) === 'WeakRef', 'a weak reference has no meaning in another process'],
  [types.isGeneratorObject, 'a generator that is under way cannot be moved to another process'],
  [isIterator, 'an iterator that is under way cannot be moved; capture what it iterates over'],
  [types.isSharedArrayBuffer, 'shared memory belongs to this process'],
  [types.isExternal, 'it points into native memory of this process'],
  [
    (value) =>
      /^(?:Abort(?:Controller|Signal)|MessagePort|MessageChannel|BroadcastChannel|EventTarget|\w*Stream\w*)$/.test(
        tagName(value),
      ),
    PROCESS_STATE,
  ],
];

/** How to do without `value`, of which `processLocalReason` tells why it cannot travel. */
export function processLocalFix(value: object): (name: string) => string {
  if (types.isPromise(value)) return awaitThere;
  if (value === process || value === process.env) return processThere;
  // A generator may have no end.
  return isIterator(value) && !types.isGeneratorObject(value) ? takeThere : createThere;
}

/** Why `value` belongs to this process, if it does. Proxies are refused before: this asks the value. */
export function processLocalReason(value: object): string | undefined {
  return REASONS.find(([applies]) => applies(value))?.[1];
}

function isIterator(value: object): boolean {
  return / Iterator$|^Iterator Helper$/.test(tagName(value));
}

function tagName(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** "a Socket", "an RDD", "function helper": what a message calls the value. */
export function describeValue(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name === '' ? '(anonymous)' : value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (types.isProxy(value)) return 'a Proxy';
  const name = className(value);
  if (name === undefined || name === '') return 'an object with a foreign prototype';
  return `${/^(?:[AEIO]|RDD$|U(?!R[LI]|int|ser|tf|ni))/.test(name) ? 'an' : 'a'} ${name}`;
}

function className(value: object): string | undefined {
  let holder: object | null = value;
  while (holder !== null) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, 'constructor');
    if (typeof descriptor?.value === 'function') return (descriptor.value as { name: string }).name;
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  return undefined;
}

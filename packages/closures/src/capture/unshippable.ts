import { EventEmitter } from 'node:events';
import { types } from 'node:util';

const PROCESS_STATE = 'it owns process-local state (listeners, handles)';

const REASONS: readonly (readonly [(value: object) => boolean, string])[] = [
  [types.isPromise, 'a Promise belongs to this process; `await` it before the lambda captures it'],
  [(value) => value instanceof EventEmitter, PROCESS_STATE],
  [(value) => types.isWeakMap(value) || types.isWeakSet(value), 'weak collections cannot be read'],
  [(value) => tagName(value) === 'WeakRef', 'a weak reference has no meaning in another process'],
  [types.isGeneratorObject, 'a generator that is under way cannot be moved to another process'],
  [
    (value) =>
      types.isMapIterator(value) || types.isSetIterator(value) || tagName(value).endsWith(' Iterator'),
    'an iterator that is under way cannot be moved; capture what it iterates over',
  ],
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

/** Why `value` belongs to this process, if it does. Proxies are refused before: this asks the value. */
export function processLocalReason(value: object): string | undefined {
  return REASONS.find(([applies]) => applies(value))?.[1];
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
  if (name === undefined) return 'an object with a foreign prototype';
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

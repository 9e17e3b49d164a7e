/** What transformed user modules import: the transform writes these calls, nobody else does. */
import { type CaptureThunk, stamp, tagOf } from './capture/closure-tag.ts';
import { registerImports } from './capture/identity.ts';

function tagFunction<F extends object>(fn: F, id: string, thunk: CaptureThunk | 0): F {
  stamp(fn, { kind: 'function', id, thunk: thunk === 0 ? undefined : thunk });
  return fn;
}

/** The name that JavaScript gives to `export default function () {}`. */
function nameDefault<F extends object>(fn: F): F {
  return Object.defineProperty(fn, 'name', { value: 'default', configurable: true });
}

/** `{ [key]() {} }`: tags the method and gives the object, whose property is then spread into the literal. */
function tagMethod<O extends object>(
  holder: O,
  id: string,
  thunk: ((key: unknown) => readonly unknown[]) | 0,
): O {
  for (const key of Reflect.ownKeys(holder)) {
    const method: unknown = Reflect.get(holder, key);
    if (typeof method === 'function')
      stamp(method, { kind: 'function', id, thunk: thunk === 0 ? undefined : () => thunk(key) });
  }
  return holder;
}

function tagClass(owner: { prototype: object }, id: string, thunk: CaptureThunk | 0): void {
  stamp(owner, { kind: 'class', id, thunk: thunk === 0 ? undefined : thunk });
  tagMethods(owner, owner.prototype, false);
  tagMethods(owner, owner, true);
}

function tagMethods(owner: object, holder: object, isStatic: boolean): void {
  for (const key of Reflect.ownKeys(holder)) {
    if (key === 'constructor' || key === 'prototype') continue;
    const value: unknown = Object.getOwnPropertyDescriptor(holder, key)?.value;
    if (typeof value === 'function' && tagOf(value) === undefined) {
      stamp(value, { kind: 'method', owner, key, isStatic });
    }
  }
}

/** `target.bind(…args)`, remembered when it is really Function.prototype.bind. */
function bind(target: { bind: (...args: unknown[]) => unknown }, args: readonly unknown[]): unknown {
  const bound = target.bind(...args);
  if (
    typeof target === 'function' &&
    typeof bound === 'function' &&
    target.bind === Function.prototype.bind
  ) {
    stamp(bound, { kind: 'bound', target, args });
  }
  return bound;
}

/** The class that `owner` extends: what its superclass expression gave. */
function superclass(owner: object): unknown {
  return Object.getPrototypeOf(owner);
}

export const $engine = {
  c: tagFunction,
  d: nameDefault,
  m: tagMethod,
  k: tagClass,
  b: bind,
  s: superclass,
  i: registerImports,
} as const;

/** Called by modules that a test runner or an embedding process transformed, one by one. */
export { registerDevModule as $register } from './dev/dev-program.ts';

/** What transformed user modules import: the transform writes these calls, nobody else does. */
import { type CaptureThunk, stamp, tagOf } from './capture/closure-tag.ts';
import { registerImports } from './capture/identity.ts';

function tagFunction<F extends object>(fn: F, id: string, thunk: CaptureThunk | 0): F {
  stamp(fn, { kind: 'function', id, thunk: thunk === 0 ? undefined : thunk });
  return fn;
}

function tagClass(owner: { prototype: object }, id: string, thunk: CaptureThunk | 0): void {
  stamp(owner, { kind: 'class', id, thunk: thunk === 0 ? undefined : thunk });
  tagMethods(owner, owner.prototype, false);
  tagMethods(owner, owner, true);
}

function tagMethods(owner: object, holder: object, isStatic: boolean): void {
  for (const key of Object.getOwnPropertyNames(holder)) {
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

export const $engine = { c: tagFunction, k: tagClass, b: bind, i: registerImports } as const;

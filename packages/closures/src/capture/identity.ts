import { Buffer } from 'node:buffer';

/** [import key, the binding's value]: read late, because a cyclic import may not be initialised yet. */
export type ImportRegistration = readonly [key: string, read: () => unknown];

/** A value that every executor has already: found there by its path from globalThis, or from an import. */
export type Identity =
  | { readonly kind: 'intrinsic'; readonly path: readonly string[] }
  | { readonly kind: 'import'; readonly key: string; readonly path: readonly string[] };

const identities = new Map<object, Identity>();
let pending: ImportRegistration[] = [];

export function registerImports(list: readonly ImportRegistration[]): void {
  pending.push(...list);
}

export function identityOf(value: object): Identity | undefined {
  if (pending.length > 0) settlePending();
  return identities.get(value);
}

/** Globals whose getters would load parts of Node: read when a value is like nothing else. */
const LAZY_GLOBALS = ['crypto', 'performance', 'navigator'] as const;
/** Classes that Node loads with all of its HTTP client (50 ms) when they are looked at: only for a function that is like nothing else. */
const LAZY_CLASSES = new Set([
  'FormData',
  'Headers',
  'Request',
  'Response',
  'MessageEvent',
  'CloseEvent',
  'WebSocket',
]);
/** As they are before any user code runs. */
const LAZY_GETTERS = LAZY_GLOBALS.map(
  (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
);
let areLazyGlobalsRead = false;
let areLazyClassesRead = false;

/** As `identityOf`; also finds the globals that are loaded at their first use. */
export function globalIdentityOf(value: object): Identity | undefined {
  const known = identityOf(value);
  if (known !== undefined) return known;
  if (!areLazyGlobalsRead) {
    areLazyGlobalsRead = true;
    for (const [name, lazy] of LAZY_GETTERS)
      if (Object.getOwnPropertyDescriptor(globalThis, name)?.get === lazy?.get)
        addGlobal(name, Reflect.get(globalThis, name));
  }
  if (!areLazyClassesRead && (typeof value === 'function' || Object.hasOwn(value, 'constructor'))) {
    areLazyClassesRead = true;
    for (const name of LAZY_CLASSES) addGlobal(name, Reflect.get(globalThis, name));
  }
  return identities.get(value);
}

function settlePending(): void {
  const later: ImportRegistration[] = [];
  for (const registration of pending) {
    const [key, read] = registration;
    try {
      addImport(key, read());
    } catch {
      later.push(registration); // not initialised yet
    }
  }
  pending = later;
}

function addImport(key: string, value: unknown): void {
  addIdentity(value, { kind: 'import', key, path: [] });
  for (const [name, member] of membersOf(value)) addIdentity(member, { kind: 'import', key, path: [name] });
  // `const { posix } = path`: the object travels by value, its functions are those of the package.
  for (const [name, group] of groupsOf(value))
    for (const [inner, member] of membersOf(group))
      addIdentity(member, { kind: 'import', key, path: [name, inner] });
}

function addIdentity(value: unknown, identity: Identity): void {
  if (isReferable(value) && !identities.has(value)) identities.set(value, identity);
}

/** The functions among the own properties: nothing that a getter would compute. */
function membersOf(value: unknown): [string, unknown][] {
  if (!isReferable(value)) return [];
  const members: [string, unknown][] = [];
  for (const name of Object.getOwnPropertyNames(value)) {
    if (name === 'prototype' || name === 'caller' || name === 'arguments') continue;
    const member = readMember(value, name);
    if (typeof member === 'function') members.push([name, member]);
  }
  return members;
}

/** The plain objects among the own properties. */
function groupsOf(value: unknown): [string, object][] {
  if (!isReferable(value)) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, { value: member }]) =>
    isReferable(member) && Object.getPrototypeOf(member) === Object.prototype
      ? [[name, member] as [string, object]]
      : [],
  );
}

function readMember(holder: object, name: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name);
  if (descriptor?.get === undefined) return descriptor?.value;
  // Module namespaces made by bundlers have getters only.
  try {
    return descriptor.get.call(holder);
  } catch {
    return undefined;
  }
}

function isReferable(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

/** Before any user code runs: a global that the user adds must not look like an intrinsic. */
function addIntrinsics(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (name === 'globalThis' || name === 'global' || name === 'process' || LAZY_CLASSES.has(name)) continue;
    // Only plain values: see LAZY_GLOBALS.
    addGlobal(name, Object.getOwnPropertyDescriptor(globalThis, name)?.value);
  }
  addGlobal('Buffer', Buffer);
  // The class that all typed arrays extend has no name of its own: `Uint8Array.from` is its method.
  addMembers(['Uint8Array', '__proto__'], Object.getPrototypeOf(Uint8Array));
  addIdentity(globalThis, { kind: 'intrinsic', path: [] });
}

function addGlobal(name: string, value: unknown): void {
  addMembers([name], value);
}

function addMembers(path: readonly string[], value: unknown): void {
  if (!isReferable(value)) return;
  addIdentity(value, { kind: 'intrinsic', path });
  for (const [member, found] of membersOf(value))
    addIdentity(found, { kind: 'intrinsic', path: [...path, member] });
  const prototype: unknown = typeof value === 'function' ? value.prototype : undefined;
  if (!isReferable(prototype)) return;
  addIdentity(prototype, { kind: 'intrinsic', path: [...path, 'prototype'] });
  for (const member of Object.getOwnPropertyNames(prototype)) {
    const found: unknown = Object.getOwnPropertyDescriptor(prototype, member)?.value;
    if (typeof found === 'function')
      addIdentity(found, { kind: 'intrinsic', path: [...path, 'prototype', member] });
  }
}

addIntrinsics();

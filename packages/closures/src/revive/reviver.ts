import { MillraceError } from '@millrace/common';
import { DESERIALIZE, Integrity, NodeTag, SET_PRIVATES } from '../snapshot/snapshot-format.ts';
import { NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';
import { buildLeaf, fillContainer, makeContainer, restrict } from './container.ts';
import { poisonValue } from './poison.ts';
import type { ProgramInstances } from './program-instances.ts';
import type { ClosureFactory, ProgramModule, TiedClosure } from './program-module.ts';
import type { BuiltValues, SharedClasses } from './shared-classes.ts';

/** What a slot lends to the closures that it revives. */
export interface ReviveContext {
  readonly broadcast: (id: string) => { readonly value: unknown };
  /** `custom`: the user's own kind, when it is one. */
  readonly accumulator: (id: string, custom?: unknown) => { add(value: unknown): void };
}

/** So many nested calls are no problem. */
const CHAIN_MIN = 1000;

/**
 * Builds live values from a node table. Containers are made empty and filled from a queue, so data of any depth and
 * shape is fine; closures are made when their captures exist, tied ones before.
 */
export class Reviver {
  readonly #nodes: readonly SnapshotNode[];
  readonly #module: ProgramModule;
  readonly #imports: ReadonlyMap<string, unknown>;
  readonly #instances: ProgramInstances;
  readonly #context: ReviveContext;
  readonly #built: BuiltValues = new Map();
  readonly #underWay = new Set<number>();
  readonly #pending = new Map<number, (() => void)[]>();
  #isDraining = false;
  /** To be frozen or sealed when all is complete. */
  readonly #restricted: [object, Integrity][] = [];

  constructor(
    nodes: readonly SnapshotNode[],
    module: ProgramModule,
    imports: ReadonlyMap<string, unknown>,
    instances: ProgramInstances,
    context: ReviveContext,
  ) {
    this.#nodes = nodes;
    this.#module = module;
    this.#imports = imports;
    this.#instances = instances;
    this.#context = context;
  }

  /** The value of each node, as far as one was made. */
  get built(): BuiltValues {
    return this.#built;
  }

  /** The function that the snapshot is of. Top-level classes are those of the functions before it in `shared`. */
  root(shared: SharedClasses): unknown {
    shared.adopt(this.#nodes, this.#module, this.#built);
    this.#buildChains();
    const value = this.revive(0);
    shared.keep(this.#nodes, this.#module, this.#built);
    return value;
  }

  /** Closures that capture closures, thousands deep: from the far end, where the call stack would not do. */
  #buildChains(): void {
    if (this.#nodes.length < CHAIN_MIN) return;
    for (let index = this.#nodes.length - 1; index > 0; index--)
      if (this.#nodes[index]?.tag === NodeTag.Closure) this.#build(index);
  }

  /** The value of node `index`, complete. */
  revive(index: number): unknown {
    const value = this.#build(index);
    this.#drain();
    for (const [restricted, integrity] of this.#restricted.splice(0)) restrict(restricted, integrity);
    return value;
  }

  readonly value = (value: unknown): unknown =>
    value instanceof NodeReference ? this.#build(value.index) : value;

  /** Runs when the values that are being made exist; it completes the value of node `index`. */
  #later(index: number, task: () => void): void {
    const tasks = this.#pending.get(index);
    if (tasks === undefined) this.#pending.set(index, [task]);
    else tasks.push(task);
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      // What the tasks add comes at the end of the map.
      for (const index of this.#pending.keys()) this.#finish(index);
    } finally {
      this.#pending.clear();
      this.#isDraining = false;
    }
  }

  #finish(index: number): void {
    const tasks = this.#pending.get(index) ?? [];
    this.#pending.delete(index);
    for (const task of tasks) task();
  }

  #build(index: number): unknown {
    if (this.#built.has(index)) return this.#built.get(index);
    const node = this.#nodes[index];
    if (node === undefined) throw new MillraceError('BAD_REQUEST', `A closure snapshot has no node ${index}`);
    if (this.#underWay.has(index)) {
      throw new MillraceError('CLOSURE_CAPTURE', 'A cycle of captures has no member that can be made first', {
        remedy: 'Break the cycle: pass one of the functions as an argument.',
      });
    }
    this.#underWay.add(index);
    const value = this.#make(index, node);
    this.#underWay.delete(index);
    this.#built.set(index, value);
    if (node.integrity !== Integrity.Extensible) this.#restricted.push([value as object, node.integrity]);
    return value;
  }

  #make(index: number, node: SnapshotNode): unknown {
    const { values } = node;
    switch (node.tag) {
      case NodeTag.Closure:
        return this.#closure(index, node, undefined, values.slice(1));
      case NodeTag.FullClosure:
        return this.#fullClosure(index, node);
      case NodeTag.Class:
        return this.#class(index, node);
      case NodeTag.Method: {
        const owner = this.value(values[0]) as { prototype: object };
        return Reflect.get(values[2] === true ? owner : owner.prototype, this.value(values[1]) as string);
      }
      case NodeTag.Bound: {
        const target = this.value(values[0]) as (...args: unknown[]) => unknown;
        return Function.prototype.bind.apply(
          target,
          values.slice(1).map(this.value) as [unknown, ...unknown[]],
        );
      }
      case NodeTag.PerExecutor:
        return this.#perExecutor(node);
      case NodeTag.Import:
        return follow(this.#imports.get(values[0] as string), values.slice(1));
      case NodeTag.Intrinsic:
        return follow(globalThis, values);
      case NodeTag.Broadcast:
        return this.#context.broadcast(values[0] as string);
      case NodeTag.Accumulator:
        return values.length === 1
          ? this.#context.accumulator(values[0] as string)
          : this.#context.accumulator(values[0] as string, this.value(values[1]));
      case NodeTag.Poison:
        return poisonValue(values[0] as string);
      case NodeTag.Protocol: {
        const owner = this.value(values[0]) as Record<symbol, (data: unknown) => unknown>;
        const data = this.#complete(values[1]);
        return Reflect.apply(owner[DESERIALIZE] as (data: unknown) => unknown, owner, [data]);
      }
      case NodeTag.Constructed: {
        const type = follow(globalThis, (values[0] as string).split('.')) as NewableFunction;
        const args = values.slice(1).map((arg) => this.#complete(arg));
        return Reflect.construct(type, args);
      }
      default: {
        const leaf = buildLeaf(node, this.value);
        if (leaf !== undefined) return leaf;
        const container = makeContainer(node, this.value);
        this.#built.set(index, container);
        const later = (task: () => void): void => this.#later(index, task);
        later(() => fillContainer(container, node, this.value, later));
        return container;
      }
    }
  }

  /** `value` with its content and all that it reaches, for code that looks into it at once. */
  #complete(value: unknown): unknown {
    if (!(value instanceof NodeReference)) return value;
    const built = this.#build(value.index);
    const reached = new Set([value.index]);
    for (const index of reached)
      for (const next of this.#nodes[index]?.values ?? [])
        if (next instanceof NodeReference && !this.#underWay.has(next.index)) reached.add(next.index);
    for (let found = true; found; ) {
      found = false;
      for (const index of reached) {
        if (!this.#pending.has(index)) continue;
        found = true;
        this.#finish(index);
      }
    }
    return built;
  }

  #factory(id: unknown): { factory: ClosureFactory; imports: unknown[] } {
    const factory = this.#module.factories[id as string];
    if (factory === undefined) {
      throw new MillraceError('PROGRAM_MISSING', `The loaded program has no closure ${String(id)}`, {
        remedy: 'Driver and executor use different bundles: submit the job again.',
      });
    }
    return { factory, imports: (factory.imports ?? []).map((key) => this.#imports.get(key)) };
  }

  #closure(index: number, node: SnapshotNode, self: unknown, captures: readonly unknown[]): object {
    const { factory, imports } = this.#factory(node.values[0]);
    if (!node.isTied || factory.tie === undefined) {
      return Reflect.apply(factory.make, self, [...imports, ...captures.map(this.value)]) as object;
    }
    const [fn, set] = Reflect.apply<unknown, unknown[], TiedClosure>(factory.tie, self, imports);
    this.#built.set(index, fn);
    this.#later(index, () => set(captures.map(this.value)));
    return fn as object;
  }

  #fullClosure(index: number, node: SnapshotNode): object {
    const [, self, own, onPrototype, ...captures] = node.values;
    const fn = this.#closure(index, node, this.value(self), captures);
    this.#hang(index, fn, own);
    this.#hang(index, (fn as { prototype: object }).prototype, onPrototype);
    return fn;
  }

  #class(index: number, node: SnapshotNode): object {
    const [id, statics, members, ...captures] = node.values;
    const { factory, imports } = this.#factory(id);
    const privates = captures.splice(captures.length - (factory.privates ?? 0));
    let owner: { prototype: object };
    if (!node.isTied || factory.tie === undefined) {
      owner = factory.make(...imports, ...captures.map(this.value)) as typeof owner;
    } else {
      const [make, set] = factory.tie(...imports);
      const eager = factory.eager ?? [];
      set(captures.map((capture, at) => (eager.includes(at) ? this.value(capture) : undefined)));
      owner = (make as () => typeof owner)();
      this.#later(index, () => set(captures.map(this.value)));
    }
    this.#built.set(index, owner);
    if (privates.length > 0) this.#setPrivates(index, owner, privates);
    this.#dropDeleted(owner, statics);
    this.#hang(index, owner, statics);
    this.#hang(index, owner.prototype, members);
    return owner;
  }

  /** Through the method that the lifted text has for this. */
  #setPrivates(index: number, owner: object, values: readonly unknown[]): void {
    const set = Reflect.get(owner, SET_PRIVATES) as (...lists: unknown[][]) => void;
    Reflect.deleteProperty(owner, SET_PRIVATES);
    const isThere = values.map((value) => this.#isPoison(value));
    this.#later(index, () => Reflect.apply(set, owner, [values.map(this.value), isThere]));
  }

  /** The text makes each static field, `undefined`: one that the driver deleted is not among the values. */
  #dropDeleted(owner: object, list: unknown): void {
    const values = list instanceof NodeReference ? (this.#nodes[list.index]?.values ?? []) : [];
    const kept = new Set(values.map((value, index) => (index % 2 === 0 ? this.value(value) : undefined)));
    for (const key of Reflect.ownKeys(owner)) {
      const { value, enumerable } = Object.getOwnPropertyDescriptor(owner, key) ?? {};
      if (enumerable === true && value === undefined && !kept.has(key)) Reflect.deleteProperty(owner, key);
    }
  }

  /** Sets properties by value; what the class defines as read-only stays. */
  #hang(index: number, holder: object, list: unknown): void {
    if (!(list instanceof NodeReference)) return;
    const values = this.#nodes[list.index]?.values ?? [];
    this.#later(index, () => {
      let enumerable = true;
      for (let i = 0; i < values.length; i += 2) {
        if (values[i] === true) enumerable = false;
        else if (values[i] === null)
          Object.setPrototypeOf(holder, this.value(values[i + 1]) as object | null);
        else this.#hangOne(holder, this.value(values[i]) as string | symbol, values[i + 1], enumerable);
      }
    });
  }

  #hangOne(holder: object, key: string | symbol, content: unknown, enumerable: boolean): void {
    const existing = Object.getOwnPropertyDescriptor(holder, key);
    const node = content instanceof NodeReference ? this.#nodes[content.index] : undefined;
    // A function that uses `#x`: the class's own text made it.
    if (this.#isPoison(content) && existing?.value !== undefined) return;
    if (node?.tag === NodeTag.Accessor) {
      const [get, set] = node.values.map(this.value);
      Object.defineProperty(holder, key, { get, set, configurable: true, enumerable } as PropertyDescriptor);
    } else if (existing?.configurable === false) {
      // The prototype of a function, which may be replaced; that of a class may not.
      if (existing.writable === true) Reflect.set(holder, key, this.value(content));
    } else {
      const value = this.value(content);
      Object.defineProperty(holder, key, { value, writable: true, configurable: true, enumerable });
    }
  }

  #isPoison(value: unknown): boolean {
    return value instanceof NodeReference && this.#nodes[value.index]?.tag === NodeTag.Poison;
  }

  #perExecutor(node: SnapshotNode): () => unknown {
    const [, factory, dispose] = node.values;
    return this.#instances.getter(this.#nodes, node, () => ({
      create: this.#callable(factory),
      dispose: dispose === undefined ? undefined : this.#callable(dispose),
    }));
  }

  #callable(value: unknown): (...args: unknown[]) => unknown {
    const fn = this.value(value) as (...args: unknown[]) => unknown;
    this.#drain();
    return fn;
  }
}

function follow(from: unknown, path: readonly unknown[]): unknown {
  let at = from;
  for (const key of path) at = (at as Record<string, unknown>)[key as string];
  return at;
}

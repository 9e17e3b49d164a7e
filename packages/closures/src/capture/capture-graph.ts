import { types } from 'node:util';
import { handleOf } from '../handle.ts';
import type { ClosureMeta } from '../manifest.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { encodeClass, encodeClosure } from './closure-node.ts';
import { closureMeta } from './closure-registry.ts';
import { type ClosureTag, tagOf } from './closure-tag.ts';
import { type CaptureProblem, GraphNode } from './graph-node.ts';
import { globalIdentityOf, identityOf } from './identity.ts';
import { MemoryViews } from './memory-views.ts';
import { NarrowedReceivers } from './narrowed-receivers.ts';
import { encodeObject } from './object-node.ts';
import { needsProblem } from './settle-problems.ts';
import { countThere, createThere, keepThere, registerSymbol } from './suggestion.ts';
import { processLocalFix, processLocalReason } from './unshippable.ts';
import { untransformedProblem } from './untransformed.ts';

/** Gives the key of a perExecutor factory: the hash of its own snapshot. */
export type FactoryKey = (factory: unknown) => string;

/**
 * Walks from a function to all that it captures. Nothing is thrown on the way: what cannot be shipped is noted on its
 * node, and decided when the whole graph is known. A queue, not recursion: a linked list of 100,000 nodes is fine.
 */
export class CaptureGraph {
  readonly root: GraphNode;
  readonly broadcastIds = new Set<string>();
  readonly accumulatorIds = new Set<string>();
  readonly views = new MemoryViews();
  readonly receivers = new NarrowedReceivers();
  hasProblems = false;
  mayHaveCycles = false;
  readonly #factoryKey: FactoryKey;
  readonly #known = new Map<unknown, GraphNode>();
  readonly #queue: GraphNode[] = [];

  constructor(root: object, factoryKey: FactoryKey) {
    this.#factoryKey = factoryKey;
    this.root = this.value(root) as GraphNode;
    for (let next = 0; next < this.#queue.length; next++) this.#expand(this.#queue[next] as GraphNode);
    this.receivers.settle((value) => this.#soundNode(value));
    this.views.settle((buffer) => this.#known.get(buffer));
  }

  /** `value` as a value of a node: itself if primitive, else its node. */
  value(value: unknown): unknown {
    if (
      (typeof value !== 'object' || value === null) &&
      typeof value !== 'function' &&
      typeof value !== 'symbol'
    ) {
      return value;
    }
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const node = new GraphNode(NodeTag.Object, value);
    this.#known.set(value, node);
    this.#queue.push(node);
    return node;
  }

  #soundNode(value: unknown): GraphNode | undefined {
    const node = this.#known.get(value);
    return node !== undefined && this.hasProblems && needsProblem(node) ? undefined : node;
  }

  /** A node that stands for no value of its own: a list of properties. */
  synthetic(tag: NodeTag, values: unknown[]): GraphNode {
    const node = new GraphNode(tag, undefined);
    node.values = values;
    return node;
  }

  fail(node: GraphNode, problem: CaptureProblem): void {
    node.problems ??= [];
    node.problems.push(problem);
    this.hasProblems = true;
  }

  #expand(node: GraphNode): void {
    const { source } = node;
    if (typeof source === 'symbol') this.#symbol(node, source);
    else if (typeof source === 'function') this.#function(node, source);
    else if (typeof source === 'object' && source !== null) this.#object(node, source);
  }

  #symbol(node: GraphNode, symbol: symbol): void {
    const key = Symbol.keyFor(symbol);
    if (key !== undefined) {
      node.tag = NodeTag.RegisteredSymbol;
      node.values = [key];
      return;
    }
    const name = Object.getOwnPropertyNames(Symbol).find(
      (candidate) => Reflect.get(Symbol, candidate) === symbol,
    );
    if (name === undefined) {
      this.fail(node, {
        code: 'CLOSURE_CAPTURE',
        reason: 'a unique symbol has no identity in another process',
        fix: (variable) => registerSymbol(variable, symbol.description ?? ''),
      });
      return;
    }
    node.tag = NodeTag.WellKnownSymbol;
    node.values = [name];
  }

  #function(node: GraphNode, fn: object): void {
    if (types.isProxy(fn)) {
      this.#refuseProxy(node);
      return;
    }
    const tag = tagOf(fn);
    if (tag !== undefined) {
      this.#tagged(node, fn, tag);
      return;
    }
    if (this.#shared(node, fn, globalIdentityOf)) return;
    this.fail(node, untransformedProblem(fn, fn === this.root.source));
  }

  #tagged(node: GraphNode, fn: object, tag: ClosureTag): void {
    switch (tag.kind) {
      case 'function':
      case 'class': {
        const meta = closureMeta(tag.id);
        if (meta === undefined) {
          this.#unknown(node, tag.id);
          return;
        }
        node.meta = meta;
        this.#checkText(node, meta);
        // Also when it is refused: what it captures may have problems of its own.
        if (tag.kind === 'class') encodeClass(this, node, fn, tag.thunk, meta);
        else encodeClosure(this, node, fn, tag.thunk, meta);
        if (meta.mayBeCyclic === true) this.mayHaveCycles = true;
        return;
      }
      case 'method':
        node.tag = NodeTag.Method;
        node.values = [this.value(tag.owner), this.value(tag.key), tag.isStatic];
        return;
      case 'bound':
        node.tag = NodeTag.Bound;
        node.values = [this.value(tag.target), ...tag.args.map((arg) => this.value(arg))];
        node.steps = (index) => ({
          kind: 'link',
          text: BOUND_PARTS[index] ?? ` (bound argument ${index - 1})`,
        });
        return;
      case 'per-executor':
        node.tag = NodeTag.PerExecutor;
        node.values = [this.#factoryKey(tag.factory), this.value(tag.factory), this.value(tag.dispose)];
        return;
    }
  }

  #unknown(node: GraphNode, id: string): void {
    this.fail(node, {
      code: 'CLOSURE_UNTRANSFORMED',
      reason: `its closure ${id} is not in the manifest of the loaded program`,
      fix: 'call loadManifest with the manifest of the bundle that this function comes from',
    });
  }

  /** What its text alone shows: it cannot move, or it assigns to variables of the driver. */
  #checkText(node: GraphNode, { file, refusal, writes }: ClosureMeta): void {
    if (refusal !== undefined) {
      const { reason, fix, at, length = 1 } = refusal;
      const problem = { code: 'CLOSURE_NOT_SHIPPABLE', reason, fix } as const;
      this.fail(node, { ...problem, at: { file, ...at, name: '', length } });
    }
    if (writes.length === 0) return;
    const told = new Set<string>();
    for (const { name, at, isCount } of writes) {
      if (told.has(name)) continue;
      told.add(name);
      this.fail(node, {
        code: 'CLOSURE_WRITES_CAPTURE',
        reason: 'On an executor it would change a private copy and the driver would never see it.',
        fix: isCount === true ? countThere(name) : keepThere(name),
        at: { file, ...at, name },
      });
    }
  }

  #object(node: GraphNode, value: object): void {
    if (types.isProxy(value)) {
      this.#refuseProxy(node);
      return;
    }
    const isPlain = isOrdinary(value);
    const identify = isPlain ? identityOf : globalIdentityOf;
    if (this.#handled(node, value) || this.#shared(node, value, identify)) return;
    const reason = isPlain ? undefined : processLocalReason(value);
    if (reason !== undefined) {
      this.fail(node, { code: 'CLOSURE_CAPTURE', reason, fix: processLocalFix(value) });
    } else encodeObject(this, node, value);
  }

  #handled(node: GraphNode, value: object): boolean {
    const handle = handleOf(value);
    if (handle === undefined) return false;
    if ('forbid' in handle) {
      this.fail(node, { code: 'CLOSURE_CAPTURE', reason: handle.forbid, fix: handle.fix });
      return true;
    }
    const isBroadcast = handle.kind === 'broadcast';
    node.tag = isBroadcast ? NodeTag.Broadcast : NodeTag.Accumulator;
    node.values = handle.custom === undefined ? [handle.id] : [handle.id, this.value(handle.custom)];
    (isBroadcast ? this.broadcastIds : this.accumulatorIds).add(handle.id);
    return true;
  }

  /** A value that executors have too. */
  #shared(node: GraphNode, value: object, identify: typeof identityOf): boolean {
    const identity = identify(value);
    if (identity === undefined) return false;
    node.tag = identity.kind === 'import' ? NodeTag.Import : NodeTag.Intrinsic;
    node.values = identity.kind === 'import' ? [identity.key, ...identity.path] : [...identity.path];
    return true;
  }

  #refuseProxy(node: GraphNode): void {
    this.fail(node, { code: 'CLOSURE_CAPTURE', reason: 'a Proxy cannot be read reliably', fix: createThere });
  }
}

/** Most captured data: nothing of it can belong to this process. */
function isOrdinary(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === Array.prototype ||
    prototype === null ||
    prototype === Map.prototype
  );
}

const BOUND_PARTS = [' (bound function)', ' (bound this)'];

import { isBuiltin } from 'node:module';
import { DESERIALIZE, NodeTag, SERIALIZE } from '../snapshot/snapshot-format.ts';
import { builtinBase, fillBuiltin, hasNamedProperties, isContentKey } from './builtin-content.ts';
import type { CaptureGraph } from './capture-graph.ts';
import { closureMeta, importMeta } from './closure-registry.ts';
import { tagOf } from './closure-tag.ts';
import { recipeOf } from './constructed.ts';
import { GraphNode } from './graph-node.ts';
import { identityOf } from './identity.ts';
import { integrityOf, pushProperties } from './properties.ts';
import { createThere } from './suggestion.ts';

/** Data: containers, builtins, and instances of classes that executors can have. */
export function encodeObject(graph: CaptureGraph, node: GraphNode, value: object): void {
  if (Object.hasOwn(value, 'constructor') && encodePrototype(graph, node, value)) return;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) {
    node.tag = prototype === null ? NodeTag.NullObject : NodeTag.Object;
    pushProperties(graph, node, value);
    return;
  }
  const base = builtinBase(value);
  if (base !== undefined && isExactly(base, value, prototype)) {
    fillBuiltin(graph, node, value, base);
    node.integrity = integrityOf(value);
    return;
  }
  const recipe = recipeOf(value);
  if (recipe !== undefined) {
    const [path, ...args] = recipe;
    node.tag = NodeTag.Constructed;
    node.values = [path, ...args.map((arg) => graph.value(arg))];
    return;
  }
  encodeInstance(graph, node, value, prototype, base);
}

/** A builtin as its constructor makes it. With properties of its own (`strings.raw`) it is like an instance of a subclass. */
function isExactly(base: string, value: object, prototype: object): boolean {
  const builtin = Reflect.get(globalThis, base) as { prototype: object } | undefined;
  return prototype === builtin?.prototype && !hasNamedProperties(base, value);
}

/** `Point.prototype` of a function or class of the user: as a member of that. */
function encodePrototype(graph: CaptureGraph, node: GraphNode, value: object): boolean {
  const owner: unknown = Object.getOwnPropertyDescriptor(value, 'constructor')?.value;
  if (typeof owner !== 'function' || owner.prototype !== value || !canRevive(owner)) return false;
  node.tag = NodeTag.Method;
  node.values = [graph.value(owner), 'prototype', true];
  return true;
}

function encodeInstance(
  graph: CaptureGraph,
  node: GraphNode,
  value: object,
  prototype: object,
  base: string | undefined,
): void {
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (owner === undefined && base === undefined) {
    node.tag = NodeTag.Heir;
    node.values = [graph.value(prototype)];
    node.steps = () => ({ kind: 'link', text: ' (prototype)' });
    pushProperties(graph, node, value);
    return;
  }
  if (typeof owner !== 'function' || owner.prototype !== prototype || !canRevive(owner, base)) {
    graph.fail(node, {
      code: 'CLOSURE_CAPTURE',
      reason: 'its class is not reachable from your sources or imports, so its methods could not be restored',
      fix: createThere,
    });
    return;
  }
  if (encodeByProtocol(graph, node, value, owner) || refuseHidden(graph, node, owner, base)) return;
  if (base === undefined) {
    node.tag = NodeTag.Instance;
    node.values = [graph.value(owner)];
  } else {
    const content = new GraphNode(NodeTag.Object, undefined);
    fillBuiltin(graph, content, value, base);
    node.tag = NodeTag.BuiltinInstance;
    node.values = [graph.value(owner), content];
  }
  pushProperties(graph, node, value, (key) => isContentKey(base, key));
}

function encodeByProtocol(graph: CaptureGraph, node: GraphNode, value: object, owner: object): boolean {
  const serialize: unknown = Reflect.get(owner, SERIALIZE);
  if (typeof serialize !== 'function') return false;
  node.tag = NodeTag.Protocol;
  node.values = [graph.value(owner), graph.value(Reflect.apply(serialize, owner, [value]))];
  node.steps = (index) => ({ kind: 'link', text: index === 1 ? ' (millrace.serialize)' : '' });
  return true;
}

function refuseHidden(graph: CaptureGraph, node: GraphNode, owner: object, base?: string): boolean {
  const hidden = hiddenFields(owner, base);
  if (hidden === undefined) return false;
  graph.fail(node, {
    code: 'CLOSURE_CAPTURE',
    reason: `class ${hidden} has #private fields, which cannot be read from outside`,
    fix: hiddenFix(owner as { readonly name: string }),
  });
  return true;
}

/** Of a package's class nothing can be changed. */
function hiddenFix(owner: { readonly name: string }): string | ((name: string) => string) {
  if (tagOf(owner) === undefined) return createThere;
  return `give ${owner.name}  static [Symbol.for('${SERIALIZE.description}')](value)  and  static [Symbol.for('${DESERIALIZE.description}')](data),  or \`private\` (TypeScript) fields instead of #private ones`;
}

/**
 * A class of the user, or one that an npm package exports. Node's own classes have state that nobody can read; of
 * JavaScript's own only `base` itself: an array with properties.
 */
function canRevive(owner: object, base?: string): boolean {
  const tag = tagOf(owner);
  if (tag !== undefined) return tag.kind === 'class' || tag.kind === 'function';
  const identity = identityOf(owner);
  if (identity?.kind === 'intrinsic') return base !== undefined && Reflect.get(globalThis, base) === owner;
  if (identity?.kind !== 'import') return false;
  const specifier = importMeta(identity.key)?.specifier;
  return specifier !== undefined && !isBuiltin(specifier);
}

/** The name of the class in the chain of `owner` that has `#private` instance fields, and is not the builtin `base`. */
function hiddenFields(owner: object, base?: string): string | undefined {
  const builtin: unknown = base === undefined ? undefined : Reflect.get(globalThis, base);
  for (
    let at: unknown = owner;
    typeof at === 'function' && at !== Function.prototype && at !== builtin;
    at = Object.getPrototypeOf(at)
  ) {
    const tag = tagOf(at);
    const isHidden =
      tag === undefined
        ? /[{;\s]#[A-Za-z_$][\w$]*\s*(?:=|;|\()/.test(Function.prototype.toString.call(at))
        : tag.kind === 'class' && closureMeta(tag.id)?.hasPrivateFields === true;
    if (isHidden) return at.name;
  }
  return undefined;
}

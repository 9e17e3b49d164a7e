import type { Identifier, PrivateIdentifier } from 'acorn';
import type { Variable } from 'eslint-scope';
import {
  type ClassNode,
  contains,
  type FunctionNode,
  isClass,
  isFunction,
  type SyntaxNode,
  type SyntaxTree,
} from './syntax-tree.ts';

/** Something inside a closure that has another meaning when the closure's text is moved. */
export type BoundToPlace =
  | 'super'
  | 'new.target'
  | 'arguments'
  | 'import.meta'
  | 'await'
  | 'yield'
  | 'eval'
  | 'this of a class heritage';

export interface CapturedVariable {
  readonly variable: Variable;
  readonly name: string;
  readonly references: Identifier[];
  /** A class needs it while it is being evaluated. */
  eager: boolean;
}

/** An arrow, function, class or object-literal method: what gets an id, a tag and a lifted text. */
export interface TrackedClosure {
  readonly node: FunctionNode | ClassNode;
  readonly captured: Map<Variable, CapturedVariable>;
  readonly writes: { readonly variable: Variable; readonly identifier: Identifier }[];
  readonly boundToPlace: { readonly what: BoundToPlace; readonly node: SyntaxNode }[];
  /** Uses of the enclosing function's `this`. */
  readonly thisUses: SyntaxNode[];
  /** `#x` of a class that lies outside. */
  readonly privateUses: PrivateIdentifier[];
  /** Parts of a class's text that executors must not run again: static initialisers, whose values travel instead. */
  readonly dropped: readonly { readonly start: number; readonly end: number }[];
  /** The superclass expression, when its value travels and not its text. */
  heritage: { readonly node: SyntaxNode; readonly variable: Variable | undefined } | undefined;
}

/** Class methods go with their class; getters and setters are data. */
export function trackedClosures(tree: SyntaxTree): Map<SyntaxNode, TrackedClosure> {
  const tracked = new Map<SyntaxNode, TrackedClosure>();
  for (const node of tree.nodes) {
    if (!isClass(node) && !isFunction(node)) continue;
    const parent = tree.parentOf(node);
    if (parent?.type === 'MethodDefinition') continue;
    if (parent?.type === 'Property' && parent.kind !== 'init') continue;
    tracked.set(node, {
      node,
      captured: new Map(),
      writes: [],
      boundToPlace: [],
      thisUses: [],
      privateUses: [],
      dropped: isClass(node) ? staticInitialisers(tree, node) : [],
      heritage: undefined,
    });
  }
  return tracked;
}

/**
 * A static's value travels; running its initialiser again would undo `Config.limit = 2` and repeat side effects. A function stays: it has
 * none, and one that uses `#x` exists only within its class.
 */
function staticInitialisers(tree: SyntaxTree, node: ClassNode): { start: number; end: number }[] {
  const dropped: { start: number; end: number }[] = [];
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock') dropped.push({ start: member.start, end: member.end });
    if (
      member.type === 'PropertyDefinition' &&
      member.static &&
      member.value &&
      !usesPrivate(tree, node, member.value)
    ) {
      dropped.push({ start: member.value.start, end: member.value.end });
    }
  }
  return dropped;
}

/** `static count = () => Config.#all`, in the class that declares it. */
function usesPrivate(tree: SyntaxTree, owner: ClassNode, value: SyntaxNode): boolean {
  if (!isFunction(value)) return false;
  const declared = new Set(
    owner.body.body.flatMap((member) =>
      member.type !== 'StaticBlock' && member.key.type === 'PrivateIdentifier' ? [member.key.name] : [],
    ),
  );
  return tree.nodes.some(
    (node) => node.type === 'PrivateIdentifier' && declared.has(node.name) && contains(value, node),
  );
}

interface StaticPrivate {
  readonly name: string;
  readonly node: SyntaxNode;
  /** Its initialiser is a part of the lifted text. */
  readonly isKept: boolean;
}

/** The `static #x` fields of a class, without the `#`. */
export function staticPrivates({ node, dropped }: TrackedClosure): StaticPrivate[] {
  if (!isClass(node)) return [];
  return node.body.body.flatMap((member) => {
    if (member.type !== 'PropertyDefinition' || !member.static || member.key.type !== 'PrivateIdentifier')
      return [];
    const { key, value } = member;
    const isKept = value != null && !dropped.some((part) => contains(part, value));
    return [{ name: key.name, node: key, isKept }];
  });
}

/** The public statics whose initialisers are a part of the lifted text. */
export function keptStatics({ node, dropped }: TrackedClosure): string[] {
  if (!isClass(node)) return [];
  return node.body.body.flatMap((member) => {
    if (member.type !== 'PropertyDefinition' || !member.static || member.key.type !== 'Identifier') return [];
    const { key, value } = member;
    return value == null || dropped.some((part) => contains(part, value)) ? [] : [key.name];
  });
}

/** Whether executors do not run `node` again: the value that it gave on the driver travels. */
export function isEvaluatedOnDriver(closure: TrackedClosure, node: SyntaxNode): boolean {
  const { dropped, heritage } = closure;
  return (
    dropped.some((part) => contains(part, node)) || (heritage !== undefined && contains(heritage.node, node))
  );
}

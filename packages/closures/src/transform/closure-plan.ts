import type { Identifier } from 'acorn';
import type { Variable } from 'eslint-scope';
import type { CaptureMeta, ClosureMeta, FixedRead } from '../manifest.ts';
import { SET_PRIVATES } from '../snapshot/snapshot-format.ts';
import { canBeLater } from './capture-order.ts';
import { membersOf } from './class-members.ts';
import { closureName } from './closure-name.ts';
import { importOf } from './import-name.ts';
import type { ModuleContext } from './module-context.ts';
import { computedKeys, findRefusal } from './refusal.ts';
import { type ClassNode, contains, isClass, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import {
  freshName,
  narrowNamespace,
  narrowThis,
  type Substitution,
  type ThisRead,
} from './this-narrowing.ts';
import {
  type CapturedVariable,
  keptStatics,
  staticPrivates,
  type TrackedClosure,
} from './tracked-closure.ts';

/** A parameter of the lifted factory. */
export interface Slot {
  readonly parameter: string;
  /** What the driver's thunk evaluates; undefined for an import, which the executor provides. */
  readonly expression?: string | typeof SUPERCLASS;
  readonly importKey?: string;
  readonly eager: boolean;
}

/** The slot of a superclass: only the class itself can give its value. */
export const SUPERCLASS = Symbol('superclass');

/** All decisions about one closure; the driver text and the lifted text follow from it. */
export interface ClosurePlan {
  readonly closure: TrackedClosure;
  readonly meta: ClosureMeta;
  readonly isMethod: boolean;
  /** Of a method with a computed key: the parameter that gets its value. */
  readonly keyParameter: string | undefined;
  /** `const fact = (n) => … fact(n - 1)`: bound inside the factory, not captured. */
  readonly selfName: string | undefined;
  /** A re-assigned function declaration reads its own name from the captured variable. */
  readonly dropsOwnName: boolean;
  readonly slots: readonly Slot[];
  readonly capturesThis: boolean;
  /** `this.factor`: what the closure reads of its `this`, when nothing else of that is used. */
  readonly readsOfThis: readonly string[];
  /** `static #x` of a class, whose values only the class itself can read and set. */
  readonly privates: readonly string[];
  readonly substitutions: readonly Substitution[];
}

interface Draft {
  readonly slots: Slot[];
  readonly captures: CaptureMeta[];
  readonly substitutions: Substitution[];
  selfName: string | undefined;
  mayBeCyclic: boolean;
}

export function planClosure(context: ModuleContext, closure: TrackedClosure): ClosurePlan {
  const { tree, positions, file } = context;
  const { node } = closure;
  const parent = tree.parentOf(node);
  const isMethod = parent?.type === 'Property' && parent.method;
  const draft: Draft = {
    slots: [],
    captures: [],
    substitutions: [],
    selfName: undefined,
    mayBeCyclic: false,
  };
  const self = new Set<Variable>();
  const narrowed = closure.thisUses.length > 0 ? narrowThis(tree, closure.thisUses) : [];
  if (closure.heritage !== undefined) addHeritage(context, closure.heritage, draft);
  const keyParameter = isMethod && parent.computed ? addComputedKey(context, parent.key, draft) : undefined;
  const byPosition = [...closure.captured.values()].toSorted((a, b) => firstUse(a) - firstUse(b));
  for (const captured of byPosition) {
    if (isSelf(context, closure, captured)) {
      self.add(captured.variable);
      if (node.type !== 'FunctionDeclaration') draft.selfName = captured.name;
    } else addCapture(context, closure, captured, draft);
  }
  const isPrivateRead = ({ property }: ThisRead): boolean => property === undefined;
  addSubstituted(context, (narrowed ?? []).filter(isPrivateRead), draft);
  const readsOfThis = addReadsOfThis(context, narrowed ?? [], draft);
  const capturesThis = narrowed === undefined;
  if (capturesThis) {
    const use = closure.thisUses[0] as SyntaxNode;
    draft.captures.push({ name: 'this', at: positions.original(use.start), isThis: true });
  }
  const privates = addStaticPrivates(context, closure, draft);
  draft.substitutions.push(
    ...closure.dropped.map((part) => ({ ...part, text: droppedText(tree.code, part) })),
  );
  draft.substitutions.push(...context.dynamicImports.within(node));

  const name = closureName(tree, closure);
  const refusal = findRefusal(context, closure, narrowed ?? []);
  const text = tree.code.slice(node.start, node.end);
  const kept = keptStatics(closure);
  const meta: ClosureMeta = {
    id: context.closureId(JSON.stringify([file, name, text, draft.slots, capturesThis])),
    file,
    name,
    kind: isClass(node) ? 'class' : 'function',
    start: positions.original(node.start),
    captures: draft.captures,
    writes: closure.writes
      .filter(
        ({ variable, identifier }) =>
          !self.has(variable) &&
          variable.defs[0]?.type !== 'ImportBinding' &&
          !(isClass(node) && computedKeys(node).some((key) => contains(key, identifier))),
      )
      .map(({ identifier }) => ({
        name: identifier.name,
        at: positions.original(identifier.start),
        ...(isCount(tree, identifier) && { isCount: true as const }),
      })),
    ...(refusal && { refusal }),
    ...(kept.length > 0 && { keeps: kept }),
    ...(hasPrivateFields(closure) && { hasPrivateFields: true }),
    ...(draft.mayBeCyclic && { mayBeCyclic: true }),
  };
  return {
    closure,
    meta,
    isMethod,
    keyParameter,
    selfName: isMethod ? undefined : draft.selfName,
    dropsOwnName:
      node.type === 'FunctionDeclaration' && draft.slots.some((slot) => slot.parameter === node.id?.name),
    slots: draft.slots,
    capturesThis,
    readsOfThis,
    privates,
    substitutions: draft.substitutions,
  };
}

/** `extends make(Base)`: the class that it gave, on the driver. */
function addHeritage(
  context: ModuleContext,
  { node: heritage, variable }: NonNullable<TrackedClosure['heritage']>,
  draft: Draft,
): void {
  const { tree, positions } = context;
  const parameter = freshName(tree.code, '$super');
  draft.substitutions.push({ start: heritage.start, end: heritage.end, text: parameter });
  draft.slots.push({ parameter, expression: SUPERCLASS, eager: true });
  const name = tree.code.slice(heritage.start, heritage.end);
  const at = positions.original(heritage.start);
  draft.captures.push({ name, at, ...(variable && declarationOf(context, variable)), eager: true });
}

/** `[key]() {}`: what the key was when the object was made. */
function addComputedKey(context: ModuleContext, key: SyntaxNode, draft: Draft): string {
  const { tree, positions } = context;
  const parameter = freshName(tree.code, '$key');
  draft.substitutions.push({ start: key.start, end: key.end, text: parameter });
  draft.slots.push({ parameter, expression: parameter, eager: true });
  draft.captures.push({ name: tree.code.slice(key.start, key.end), at: positions.original(key.start) });
  return parameter;
}

/** Not parameters: the closure gets an object with these properties as its `this`, or the real one. */
function addReadsOfThis(context: ModuleContext, narrowed: readonly ThisRead[], draft: Draft): string[] {
  const reads = new Map<string, ThisRead>();
  for (const read of narrowed)
    if (read.property !== undefined && !reads.has(read.property)) reads.set(read.property, read);
  for (const [ofThis, { start }] of reads)
    draft.captures.push({ name: `this.${ofThis}`, at: context.positions.original(start), ofThis });
  return [...reads.keys()];
}

/** `static #x`: read through the class's tag, and set through a method that the lifted class has for a moment. */
function addStaticPrivates(context: ModuleContext, closure: TrackedClosure, draft: Draft): string[] {
  const privates = staticPrivates(closure);
  const [first] = privates;
  if (first === undefined) return [];
  const owner = closureName(context.tree, closure);
  for (const { name, node } of privates) {
    const at = context.positions.original(node.start);
    draft.captures.push({ name: `${owner}.#${name}`, at, isStaticPrivate: true });
  }
  const sets = privates.map(
    ({ name, isKept }, index) =>
      `${isKept ? `$isThere[${index}] || ` : ''}(this.#${name} = $values[${index}]);`,
  );
  const { start } = (closure.node as ClassNode).body;
  const text = ` static ${JSON.stringify(SET_PRIVATES)}($values, $isThere) { ${sets.join(' ')} }`;
  draft.substitutions.push({ start: start + 1, end: start + 1, text });
  return privates.map(({ name }) => name);
}

function firstUse(captured: CapturedVariable): number {
  return Math.min(...captured.references.map((reference) => reference.start));
}

function isSelf(context: ModuleContext, closure: TrackedClosure, { variable }: CapturedVariable): boolean {
  const { node } = closure;
  const definition = variable.defs[0];
  if (node.type === 'FunctionDeclaration' && node.id) {
    return (
      variable.defs.length === 1 &&
      sameNode(variable.identifiers[0], node.id) &&
      !variable.references.some((reference) => reference.isWrite())
    );
  }
  if (definition?.type !== 'Variable' || definition.parent?.kind !== 'const') return false;
  const declarator = context.tree.parentOf(node);
  return (
    declarator?.type === 'VariableDeclarator' &&
    sameNode(definition.node, declarator) &&
    declarator.id.type === 'Identifier'
  );
}

function addCapture(
  context: ModuleContext,
  closure: TrackedClosure,
  captured: CapturedVariable,
  draft: Draft,
): void {
  const { variable, name, references, eager } = captured;
  const definition = variable.defs[0];
  const imported = definition?.type === 'ImportBinding' ? importOf(definition) : undefined;
  if (imported !== undefined && context.isByReference(imported.specifier)) {
    draft.slots.push({
      parameter: name,
      importKey: context.importKey(imported.specifier, imported.name),
      eager: true,
    });
    return;
  }
  if (imported?.name === '*') {
    const narrowed = narrowNamespace(context.tree, name, references);
    if (narrowed !== undefined) {
      addSubstituted(context, narrowed, draft, eager, imported.specifier);
      return;
    }
  }
  if (canBeLater(context.tree, closure.node, variable)) draft.mayBeCyclic = true;
  draft.slots.push({ parameter: name, expression: name, eager });
  const reads = fixedReadOf(context, variable);
  draft.captures.push({
    name,
    at: context.positions.original(firstUse(captured)),
    ...declarationOf(context, variable),
    ...(definition?.type === 'ClassName' && { isClassName: true }),
    ...membersOf(context.tree, closure.node, captured),
    ...(reads && { reads }),
    ...(eager && { eager }),
  });
}

function declarationOf(
  { positions }: ModuleContext,
  variable: Variable,
): Pick<CaptureMeta, 'declaredAt' | 'importedFrom'> {
  const [definition] = variable.defs;
  const declared = variable.identifiers[0] as unknown as Identifier | undefined;
  return {
    ...(declared && { declaredAt: positions.original(declared.start) }),
    ...(definition?.type === 'ImportBinding' && { importedFrom: importOf(definition) }),
  };
}

/** Of a variable that is never assigned again. */
function fixedReadOf({ fixedReads }: ModuleContext, variable: Variable): FixedRead | undefined {
  const [definition, ...others] = variable.defs;
  if (definition?.type !== 'Variable' || others.length > 0) return undefined;
  if (variable.references.some((reference) => reference.isWrite() && reference.init !== true))
    return undefined;
  const { init } = definition.node as unknown as { init?: SyntaxNode | null };
  return init ? fixedReads.within(init) : undefined;
}

/** One slot for each different expression that takes the place of its uses. */
function addSubstituted(
  context: ModuleContext,
  substitutions: readonly Substitution[],
  draft: Draft,
  eager = false,
  namespaceOf?: string,
): void {
  const seen = new Set<string>();
  for (const substitution of substitutions) {
    draft.substitutions.push(substitution);
    const { expression, text, property } = substitution;
    if (expression === undefined || seen.has(text)) continue;
    seen.add(text);
    draft.mayBeCyclic = true;
    draft.slots.push({ parameter: text, expression, eager });
    draft.captures.push({
      name: expression,
      at: context.positions.original(substitution.start),
      ...(namespaceOf !== undefined &&
        property !== undefined && { importedFrom: { specifier: namespaceOf, name: property } }),
      ...(eager && { eager }),
    });
  }
}

function sameNode(a: unknown, b: unknown): boolean {
  return a === b;
}

function isCount(tree: SyntaxTree, identifier: SyntaxNode): boolean {
  const parent = tree.parentOf(identifier);
  if (parent?.type === 'UpdateExpression') return true;
  return parent?.type === 'AssignmentExpression' && (parent.operator === '+=' || parent.operator === '-=');
}

function hasPrivateFields({ node }: TrackedClosure): boolean {
  return (
    isClass(node) &&
    node.body.body.some(
      (member) => member.type !== 'StaticBlock' && member.key.type === 'PrivateIdentifier' && !member.static,
    )
  );
}

/** A static block leaves nothing, a field's initialiser `undefined`; lines are kept. */
function droppedText(code: string, part: { start: number; end: number }): string {
  const lines = code.slice(part.start, part.end).replace(/[^\n]+/g, '');
  return code.startsWith('static', part.start) && /^static\s*\{/.test(code.slice(part.start, part.end))
    ? lines
    : `undefined${lines}`;
}

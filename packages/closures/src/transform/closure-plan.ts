import type { Identifier } from 'acorn';
import type { Definition, Variable } from 'eslint-scope';
import type { CaptureMeta, ClosureMeta } from '../manifest.ts';
import { canBeLater } from './capture-order.ts';
import { closureName } from './closure-name.ts';
import { importedName } from './import-name.ts';
import type { ModuleContext } from './module-context.ts';
import { findRefusal } from './refusal.ts';
import { isClass, type SyntaxNode } from './syntax-tree.ts';
import { narrowNamespace, narrowThis, type Substitution } from './this-narrowing.ts';
import type { CapturedVariable, TrackedClosure } from './tracked-closure.ts';

/** A parameter of the lifted factory. */
export interface Slot {
  readonly parameter: string;
  /** What the driver's thunk evaluates; undefined for an import, which the executor provides. */
  readonly expression?: string;
  readonly importKey?: string;
  readonly eager: boolean;
}

/** All decisions about one closure; the driver text and the lifted text follow from it. */
export interface ClosurePlan {
  readonly closure: TrackedClosure;
  readonly meta: ClosureMeta;
  readonly isMethod: boolean;
  /** `const fact = (n) => … fact(n - 1)`: bound inside the factory, not captured. */
  readonly selfName: string | undefined;
  /** A re-assigned function declaration reads its own name from the captured variable. */
  readonly dropsOwnName: boolean;
  readonly slots: readonly Slot[];
  readonly capturesThis: boolean;
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
  const byPosition = [...closure.captured.values()].toSorted((a, b) => firstUse(a) - firstUse(b));
  for (const captured of byPosition) {
    if (isSelf(context, closure, captured)) {
      self.add(captured.variable);
      if (node.type !== 'FunctionDeclaration') draft.selfName = captured.name;
    } else addCapture(context, closure, captured, draft);
  }
  addSubstituted(context, narrowed ?? [], draft);
  const capturesThis = narrowed === undefined;
  if (capturesThis) {
    const use = closure.thisUses[0] as SyntaxNode;
    draft.captures.push({ name: 'this', at: positions.original(use.start), isThis: true });
  }
  draft.substitutions.push(
    ...closure.dropped.map((part) => ({ ...part, text: droppedText(tree.code, part) })),
  );
  draft.substitutions.push(...context.dynamicImports.within(node));

  const name = closureName(tree, closure);
  const refusal = findRefusal(context, closure, narrowed ?? [], isMethod);
  const text = tree.code.slice(node.start, node.end);
  const meta: ClosureMeta = {
    id: context.closureId(JSON.stringify([file, name, text, draft.slots, capturesThis])),
    file,
    name,
    kind: isClass(node) ? 'class' : 'function',
    start: positions.original(node.start),
    captures: draft.captures,
    writes: closure.writes
      .filter(({ variable }) => !self.has(variable) && variable.defs[0]?.type !== 'ImportBinding')
      .map(({ identifier }) => ({ name: identifier.name, at: positions.original(identifier.start) })),
    ...(refusal && { refusal }),
    ...(hasPrivateFields(closure) && { hasPrivateFields: true }),
    ...(draft.mayBeCyclic && { mayBeCyclic: true }),
  };
  return {
    closure,
    meta,
    isMethod,
    selfName: isMethod ? undefined : draft.selfName,
    dropsOwnName:
      node.type === 'FunctionDeclaration' && draft.slots.some((slot) => slot.parameter === node.id?.name),
    slots: draft.slots,
    capturesThis,
    substitutions: draft.substitutions,
  };
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
      addSubstituted(context, narrowed, draft, eager);
      return;
    }
  }
  if (canBeLater(context.tree, closure.node, variable)) draft.mayBeCyclic = true;
  draft.slots.push({ parameter: name, expression: name, eager });
  const declared = variable.identifiers[0] as unknown as Identifier | undefined;
  draft.captures.push({
    name,
    at: context.positions.original(firstUse(captured)),
    ...(declared && { declaredAt: context.positions.original(declared.start) }),
    ...(imported && { importedFrom: imported }),
    ...(eager && { eager }),
  });
}

/** One slot for each different expression that takes the place of its uses. */
function addSubstituted(
  context: ModuleContext,
  substitutions: readonly Substitution[],
  draft: Draft,
  eager = false,
): void {
  const seen = new Set<string>();
  for (const substitution of substitutions) {
    draft.substitutions.push(substitution);
    const { expression, text } = substitution;
    if (expression === undefined || seen.has(text)) continue;
    seen.add(text);
    draft.mayBeCyclic = true;
    draft.slots.push({ parameter: text, expression, eager });
    draft.captures.push({
      name: expression,
      at: context.positions.original(substitution.start),
      ...(eager && { eager }),
    });
  }
}

export function importOf(definition: Definition): { specifier: string; name: string } {
  const specifier = definition.node as unknown as SyntaxNode;
  const declaration = definition.parent as unknown as { source: { value: string } };
  return { specifier: declaration.source.value, name: importedName(specifier) };
}

function sameNode(a: unknown, b: unknown): boolean {
  return a === b;
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

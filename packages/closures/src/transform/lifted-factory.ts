import { canInferName } from './closure-name.ts';
import type { ClosurePlan } from './closure-plan.ts';
import { isClass, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** A piece of lifted text. A verbatim piece starts at `offset` of the file; a replaced one stands for what was there. */
export interface TextPiece {
  readonly text: string;
  readonly offset: number;
  readonly isVerbatim: boolean;
}

/** A closure's text, lifted out of its surroundings: a function of its captures that gives the closure. */
export interface LiftedFactory {
  readonly id: string;
  readonly isClass: boolean;
  /** A class that its module makes once: every lambda means the same one. */
  readonly isSingleClass: boolean;
  /** Imports that the executor passes as the first parameters. */
  readonly imports: readonly { readonly key: string; readonly parameter: string }[];
  readonly parameters: readonly string[];
  /** Indexes of the parameters that a class needs while it is evaluated. */
  readonly eager: readonly number[];
  /** How many `static #x` it has: their values come last. */
  readonly privates: number;
  /** Bound inside the factory to the closure itself. */
  readonly selfName: string | undefined;
  readonly isTieable: boolean;
  readonly before: string;
  readonly pieces: readonly TextPiece[];
  readonly after: string;
}

export function liftClosure(tree: SyntaxTree, plan: ClosurePlan): LiftedFactory {
  const { closure, meta, slots } = plan;
  const { before, after } = wrapping(tree, plan);
  const parent = tree.parentOf(closure.node);
  const range = plan.isMethod && parent !== undefined ? parent : closure.node;
  const values = slots.filter((slot) => slot.importKey === undefined);
  return {
    id: meta.id,
    isClass: isClass(closure.node),
    isSingleClass: isClass(closure.node) && isMadeOnce(tree, closure.node),
    imports: slots.flatMap(({ importKey, parameter }) =>
      importKey === undefined ? [] : [{ key: importKey, parameter }],
    ),
    parameters: values.map((slot) => slot.parameter),
    eager: values.flatMap((slot, index) => (slot.eager ? [index] : [])),
    privates: plan.privates.length,
    selfName: plan.selfName,
    isTieable: meta.mayBeCyclic === true,
    before,
    pieces: cut(tree.code, range, plan),
    after,
  };
}

/** Not in a function, a loop, or another class: a static block or field runs once, but may be in a class that is made often. */
function isMadeOnce(tree: SyntaxTree, node: SyntaxNode): boolean {
  for (let at = tree.parentOf(node); at !== undefined; at = tree.parentOf(at))
    if (isFunction(at) || isClass(at) || /^(?:For\w*|While|DoWhile)Statement$/.test(at.type)) return false;
  return true;
}

/**
 * Keeps the function's name by naming it inside an object literal, which introduces no binding: a `const` of that name
 * would capture a global of the same name (`{ parseInt: (x) => parseInt(x) }` would call itself for ever).
 */
function wrapping(tree: SyntaxTree, plan: ClosurePlan): { before: string; after: string } {
  const { node } = plan.closure;
  const parent = tree.parentOf(node);
  if (plan.isMethod && parent?.type === 'Property') {
    const { keyParameter } = plan;
    const access = keyParameter === undefined ? memberAccess(tree.code, parent.key) : `[${keyParameter}]`;
    return { before: '({ ', after: ` })${access}` };
  }
  const { name } = plan.meta;
  const needsName = (node.id == null || plan.dropsOwnName) && plan.selfName === undefined;
  return needsName && canInferName(name) ? named(name) : { before: '', after: '' };
}

export function named(name: string): { before: string; after: string } {
  const key = JSON.stringify(name);
  return { before: `({ ${key}: `, after: ` })[${key}]` };
}

export function memberAccess(code: string, key: SyntaxNode): string {
  return key.type === 'Identifier' ? `.${key.name}` : `[${code.slice(key.start, key.end)}]`;
}

function cut(code: string, range: SyntaxNode, plan: ClosurePlan): TextPiece[] {
  const pieces: TextPiece[] = [];
  const own = plan.closure.node.id;
  const replaced = [
    ...plan.substitutions,
    ...(plan.dropsOwnName && own ? [{ start: own.start, end: own.end, text: '' }] : []),
  ].toSorted((a, b) => a.start - b.start);
  let from = range.start;
  for (const { start, end, text } of replaced) {
    if (start < from) continue; // lies within a piece that is already replaced
    pieces.push({ text: code.slice(from, start), offset: from, isVerbatim: true });
    pieces.push({ text, offset: start, isVerbatim: false });
    from = end;
  }
  pieces.push({ text: code.slice(from, range.end), offset: from, isVerbatim: true });
  return pieces;
}

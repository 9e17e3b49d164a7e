import type { ClosureMeta } from '../manifest.ts';
import type { ModuleContext } from './module-context.ts';
import { contains, isClass, type SyntaxNode } from './syntax-tree.ts';
import type { Substitution } from './this-narrowing.ts';
import type { BoundToPlace, TrackedClosure } from './tracked-closure.ts';

const PLACE_BOUND: Readonly<Record<BoundToPlace, { readonly reason: string; readonly fix: string }>> = {
  arguments: {
    reason: "it uses the enclosing function's `arguments`",
    fix: 'use a rest parameter, `(...args) => …`',
  },
  super: {
    reason: 'it uses `super` of the enclosing method',
    fix: 'call the super method outside of the lambda, or move the code into a class method',
  },
  'new.target': {
    reason: 'it uses `new.target` of the enclosing function',
    fix: 'read it into a const outside of the lambda',
  },
  'import.meta': {
    reason: '`import.meta` is different on an executor',
    fix: 'read it into a const outside of the lambda',
  },
  await: {
    reason: 'it awaits while the class itself is evaluated',
    fix: 'read the awaited value into a const before the class',
  },
  yield: {
    reason: 'it yields while the class itself is evaluated',
    fix: 'read the yielded value into a const before the class',
  },
  eval: {
    reason: '`eval` can reach every variable around it, so what it captures is not known',
    fix: 'write the expression as a function',
  },
  'this of a class heritage': {
    reason: 'it uses `this` of the enclosing function while the class itself is evaluated',
    fix: 'read it into a const before the class',
  },
};

/** Why the text of `closure` has no meaning in another process, if so. */
export function findRefusal(
  context: ModuleContext,
  closure: TrackedClosure,
  narrowedThis: readonly Substitution[],
  isMethod: boolean,
): ClosureMeta['refusal'] {
  const refuse = (reason: string, fix: string, at: SyntaxNode): ClosureMeta['refusal'] => ({
    reason,
    fix,
    at: context.positions.original(at.start),
  });
  const { node } = closure;
  const bound = closure.boundToPlace[0];
  if (bound !== undefined)
    return refuse(PLACE_BOUND[bound.what].reason, PLACE_BOUND[bound.what].fix, bound.node);
  const hidden = closure.privateUses.find((use) => !narrowedThis.some((part) => contains(part, use)));
  if (hidden !== undefined) {
    return refuse(
      `it uses the private field \`#${hidden.name}\``,
      'read it into a const outside of the lambda',
      hidden,
    );
  }
  const parent = context.tree.parentOf(node);
  if (isMethod && parent?.type === 'Property' && parent.computed) {
    return refuse('it is a method with a computed key', 'write it as a property, `[key]: () => …`', node);
  }
  const moved = context.dynamicImports.unshippable(node);
  if (moved !== undefined) {
    return refuse(
      'it imports one of your own modules at run time, whose top level would then run on the executor',
      "import it statically, or begin that module with 'use executor'",
      moved,
    );
  }
  if (isClass(node) && context.isDecorated(node)) {
    return refuse(
      'it is a decorated class: decorators run once, on the driver, and what they register elsewhere is missing on an executor',
      "put the class in a module that begins with 'use executor'",
      node,
    );
  }
  return undefined;
}

import type { Identifier } from 'acorn';
import { analyze, type Reference } from 'eslint-scope';
import { contains, isClass, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import type { TrackedClosure } from './tracked-closure.ts';

/**
 * Finds what each closure captures: from every reference climb to the scope that declares it; every tracked node
 * passed on the way captures it. Superclasses and default parameters come out right without a special case.
 */
export function findFreeVariables(tree: SyntaxTree, tracked: ReadonlyMap<SyntaxNode, TrackedClosure>): void {
  const scopes = analyze(tree.root as never, {
    ecmaVersion: 2025,
    sourceType: 'module',
    fallback: 'iteration',
    // A direct eval is refused by itself; without this it would hide every other reference of the file.
    ignoreEval: true,
  });
  for (const scope of scopes.scopes) {
    for (const reference of scope.references) recordReference(tree, tracked, reference);
  }
}

function recordReference(
  tree: SyntaxTree,
  tracked: ReadonlyMap<SyntaxNode, TrackedClosure>,
  reference: Reference,
): void {
  const variable = reference.resolved;
  const identifier = reference.identifier as unknown as Identifier;
  if (variable === null) {
    if (identifier.name === 'eval') recordDirectEval(tree, tracked, identifier);
    return;
  }
  const declaredIn = variable.scope.block as unknown as SyntaxNode;
  let isLazy = false;
  let below: SyntaxNode = identifier;
  for (let node = tree.parentOf(identifier); node !== undefined; below = node, node = tree.parentOf(node)) {
    if (isFunction(node)) isLazy = true;
    if (node.type === 'PropertyDefinition' && !node.static && below === node.value) isLazy = true;
    const closure = tracked.get(node);
    if (closure === undefined) continue;
    if (contains(node, declaredIn)) return;
    if (closure.dropped.some((part) => contains(part, identifier))) continue;
    let captured = closure.captured.get(variable);
    if (captured === undefined) {
      captured = { variable, name: identifier.name, references: [], eager: false };
      closure.captured.set(variable, captured);
    }
    captured.references.push(identifier);
    if (isClass(node) && !isLazy) captured.eager = true;
    if (reference.isWrite()) closure.writes.push({ variable, identifier });
  }
}

/** `eval('x')` sees every variable around it: no analysis can tell which. */
function recordDirectEval(
  tree: SyntaxTree,
  tracked: ReadonlyMap<SyntaxNode, TrackedClosure>,
  identifier: Identifier,
): void {
  const call = tree.parentOf(identifier);
  if (call?.type !== 'CallExpression' || call.callee !== identifier) return;
  for (let node: SyntaxNode | undefined = call; node !== undefined; node = tree.parentOf(node)) {
    tracked.get(node)?.boundToPlace.push({ what: 'eval', node: call });
  }
}

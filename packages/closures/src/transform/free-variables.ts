import type { Identifier } from 'acorn';
import { analyze, type Reference } from 'eslint-scope';
import { importOf } from './import-name.ts';
import { contains, isClass, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import { isEvaluatedOnDriver, type TrackedClosure } from './tracked-closure.ts';

/**
 * Finds what each closure captures: from every reference climb to the scope that declares it; every tracked node
 * passed on the way captures it. Superclasses and default parameters come out right without a special case.
 */
export function findFreeVariables(
  tree: SyntaxTree,
  tracked: ReadonlyMap<SyntaxNode, TrackedClosure>,
  isByReference: (specifier: string) => boolean,
): void {
  const scopes = analyze(tree.root as never, {
    ecmaVersion: 2025,
    sourceType: 'module',
    fallback: 'iteration',
    // A direct eval is refused by itself; without this it would hide every other reference of the file.
    ignoreEval: true,
  });
  const references = scopes.scopes.flatMap((scope) => scope.references);
  findHeritage(tracked, references, isByReference);
  for (const reference of references) recordReference(tree, tracked, reference);
}

/**
 * A superclass travels as the value that it is: its expression may give another class when it is evaluated again. The text
 * stays when executors have that class by themselves: a global, or one of a package.
 */
function findHeritage(
  tracked: ReadonlyMap<SyntaxNode, TrackedClosure>,
  references: readonly Reference[],
  isByReference: (specifier: string) => boolean,
): void {
  const variables = new Map(references.map(({ identifier, resolved }) => [identifier as unknown, resolved]));
  for (const [node, closure] of tracked) {
    const heritage = isClass(node) ? node.superClass : undefined;
    if (!heritage || heritage.type === 'Literal') continue;
    let root: SyntaxNode = heritage;
    while (root.type === 'MemberExpression' && !root.computed) root = root.object;
    const variable = root.type === 'Identifier' ? variables.get(root) : undefined;
    const imported = variable?.defs[0]?.type === 'ImportBinding' ? variable.defs[0] : undefined;
    const isThere =
      root.type === 'Identifier' &&
      (!variable || (imported !== undefined && isByReference(importOf(imported).specifier)));
    if (!isThere)
      closure.heritage = {
        node: heritage,
        variable: root === heritage ? (variable ?? undefined) : undefined,
      };
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
  // `arguments` is no variable that could be copied: it is refused by itself.
  if (variable.name === 'arguments' && variable.defs.length === 0) return;
  const declaredIn = variable.scope.block as unknown as SyntaxNode;
  let isLazy = false;
  let below: SyntaxNode = identifier;
  for (let node = tree.parentOf(identifier); node !== undefined; below = node, node = tree.parentOf(node)) {
    if (isFunction(node)) isLazy = true;
    if (node.type === 'PropertyDefinition' && !node.static && below === node.value) isLazy = true;
    const closure = tracked.get(node);
    if (closure === undefined) continue;
    if (contains(node, declaredIn)) return;
    if (isEvaluatedOnDriver(closure, identifier)) continue;
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
    const closure = tracked.get(node);
    if (closure !== undefined && !isEvaluatedOnDriver(closure, call))
      closure.boundToPlace.push({ what: 'eval', node: call });
  }
}

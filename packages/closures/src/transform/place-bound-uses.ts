import type { PrivateIdentifier } from 'acorn';
import { hasOwnThis, isClass, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import { type BoundToPlace, isEvaluatedOnDriver, type TrackedClosure } from './tracked-closure.ts';

type Tracked = ReadonlyMap<SyntaxNode, TrackedClosure>;

/** Finds `this`, `super`, `arguments`, `new.target`, `import.meta`, `#x`, `await` and `yield` that belong to an outer place. */
export function findPlaceBoundUses(tree: SyntaxTree, tracked: Tracked): void {
  for (const node of tree.nodes) {
    switch (node.type) {
      case 'ThisExpression':
        recordReceiver(tree, tracked, node, 'this');
        break;
      case 'Super':
        recordReceiver(tree, tracked, node, 'super');
        recordMethodSuper(tree, tracked, node);
        break;
      case 'MetaProperty':
        if (node.meta.name === 'import') recordEverywhere(tree, tracked, node, 'import.meta');
        else recordReceiver(tree, tracked, node, 'new.target');
        break;
      case 'Identifier':
        if (node.name === 'arguments' && !isPropertyName(tree, node))
          recordReceiver(tree, tracked, node, 'arguments');
        break;
      case 'PrivateIdentifier':
        recordPrivate(tree, tracked, node);
        break;
      case 'AwaitExpression':
        recordSuspension(tree, tracked, node, 'await');
        break;
      case 'ForOfStatement':
        if (node.await) recordSuspension(tree, tracked, node, 'await');
        break;
      case 'YieldExpression':
        recordSuspension(tree, tracked, node, 'yield');
        break;
      default:
        break;
    }
  }
}

function recordReceiver(
  tree: SyntaxTree,
  tracked: Tracked,
  use: SyntaxNode,
  what: 'this' | 'super' | 'new.target' | 'arguments',
): void {
  let below = use;
  for (let node = tree.parentOf(use); node !== undefined; below = node, node = tree.parentOf(node)) {
    if (hasOwnThis(node) || node.type === 'StaticBlock') return;
    if (node.type === 'PropertyDefinition' && below === node.value) return;
    const closure = tracked.get(node);
    if (closure === undefined || isEvaluatedOnDriver(closure, use)) continue;
    if (isClass(node))
      closure.boundToPlace.push({ what: what === 'this' ? 'this of a class heritage' : what, node: use });
    else if (what === 'this') closure.thisUses.push(use);
    else closure.boundToPlace.push({ what, node: use });
  }
}

/** An object method with `super` has a home object that it cannot take along. */
function recordMethodSuper(tree: SyntaxTree, tracked: Tracked, use: SyntaxNode): void {
  for (let node = tree.parentOf(use); node !== undefined; node = tree.parentOf(node)) {
    if (isClass(node)) return;
    if (!hasOwnThis(node)) continue;
    tracked.get(node)?.boundToPlace.push({ what: 'super', node: use });
    return;
  }
}

function recordEverywhere(tree: SyntaxTree, tracked: Tracked, use: SyntaxNode, what: BoundToPlace): void {
  for (let node = tree.parentOf(use); node !== undefined; node = tree.parentOf(node)) {
    const closure = tracked.get(node);
    if (closure !== undefined && !isEvaluatedOnDriver(closure, use))
      closure.boundToPlace.push({ what, node: use });
  }
}

function recordPrivate(tree: SyntaxTree, tracked: Tracked, use: PrivateIdentifier): void {
  for (let node = tree.parentOf(use); node !== undefined; node = tree.parentOf(node)) {
    if (node.type === 'ClassBody') {
      const declares = node.body.some(
        (member) =>
          member.type !== 'StaticBlock' &&
          member.key.type === 'PrivateIdentifier' &&
          member.key.name === use.name,
      );
      if (declares) return;
    }
    const closure = tracked.get(node);
    if (closure !== undefined && !isEvaluatedOnDriver(closure, use)) closure.privateUses.push(use);
  }
}

/** `class A extends (await load()) {}`: the class's text alone is not valid anywhere else. */
function recordSuspension(
  tree: SyntaxTree,
  tracked: Tracked,
  use: SyntaxNode,
  what: 'await' | 'yield',
): void {
  for (let node = tree.parentOf(use); node !== undefined; node = tree.parentOf(node)) {
    if (isFunction(node) || node.type === 'StaticBlock') return;
    const closure = tracked.get(node);
    if (closure !== undefined && !isEvaluatedOnDriver(closure, use)) {
      closure.boundToPlace.push({ what, node: use });
    }
  }
}

function isPropertyName(tree: SyntaxTree, node: SyntaxNode): boolean {
  const parent = tree.parentOf(node);
  if (parent?.type === 'MemberExpression') return parent.property === node && !parent.computed;
  if (parent?.type === 'Property') return parent.key === node && !parent.shorthand && !parent.computed;
  if (parent?.type === 'MethodDefinition' || parent?.type === 'PropertyDefinition') {
    return parent.key === node && !parent.computed;
  }
  return false;
}

import type { MemberExpression } from 'acorn';
import type { SyntaxNode, SyntaxTree } from './syntax-tree.ts';

/** Replaces a piece of a closure's lifted text by a parameter that holds the value of `expression`. */
export interface Substitution {
  readonly start: number;
  readonly end: number;
  /** The text that takes its place. */
  readonly text: string;
  /** What the thunk evaluates on the driver; undefined: the text only. */
  readonly expression?: string;
  /** The name that is read: of `this.x` (never of `this.#x`), of `config.x`. */
  readonly property?: string;
}

/** `this.x`, which stays as it is (the closure gets another `this`), or `this.#x`, which has no meaning outside of its class. */
export type ThisRead = Substitution;

/**
 * When every use of the outer `this` is a plain read (`this.factor`, `this.#secret`), the closure captures just those
 * properties instead of the whole object: Spark's "captured the whole job class" does not happen.
 */
export function narrowThis(tree: SyntaxTree, uses: readonly SyntaxNode[]): ThisRead[] | undefined {
  const substitutions: ThisRead[] = [];
  for (const use of uses) {
    const member = tree.parentOf(use);
    if (member?.type !== 'MemberExpression' || !isPlainRead(tree, member, use)) return undefined;
    const isPrivate = member.property.type === 'PrivateIdentifier';
    const property = (member.property as { name: string }).name;
    substitutions.push({
      start: member.start,
      end: member.end,
      text: isPrivate ? freshName(tree.code, `$p_${property}`) : tree.code.slice(member.start, member.end),
      expression: tree.code.slice(member.start, member.end),
      ...(!isPrivate && { property }),
    });
  }
  return substitutions;
}

/** `import * as config from './config'` used only as `config.x`: captures `config.x`, not the namespace. */
export function narrowNamespace(
  tree: SyntaxTree,
  name: string,
  references: readonly SyntaxNode[],
): Substitution[] | undefined {
  const substitutions: Substitution[] = [];
  for (const reference of references) {
    const member = tree.parentOf(reference);
    if (
      member?.type !== 'MemberExpression' ||
      member.object !== reference ||
      member.computed ||
      member.optional
    ) {
      return undefined;
    }
    const property = (member.property as { name: string }).name;
    substitutions.push({
      start: member.start,
      end: member.end,
      // With the length: `a.b_c` and `a_b.c` are two parameters of one factory.
      text: freshName(tree.code, `$n${name.length}_${name}_${property}`),
      property,
      expression: tree.code.slice(member.start, member.end),
    });
  }
  return substitutions;
}

function isPlainRead(tree: SyntaxTree, member: MemberExpression, object: SyntaxNode): boolean {
  if (member.object !== object || member.computed || member.optional) return false;
  const parent = tree.parentOf(member);
  switch (parent?.type) {
    case 'CallExpression':
      return parent.callee !== member;
    case 'TaggedTemplateExpression':
      return parent.tag !== member;
    case 'AssignmentExpression':
      return parent.left !== member;
    case 'AssignmentPattern':
      return parent.left !== member;
    case 'ForOfStatement':
    case 'ForInStatement':
      return parent.left !== member;
    case 'UpdateExpression':
    case 'ArrayPattern':
    case 'RestElement':
      return false;
    case 'UnaryExpression':
      return parent.operator !== 'delete';
    case 'Property':
      return tree.parentOf(parent)?.type !== 'ObjectPattern';
    case 'ParenthesizedExpression':
      return false;
    default:
      return true;
  }
}

/** A name that the file's text does not have: lifted text must never get a binding that it could see. */
export function freshName(code: string, wish: string): string {
  let name = wish;
  while (code.includes(name)) name += '$';
  return name;
}

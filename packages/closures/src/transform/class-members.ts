import type { CaptureMeta } from '../manifest.ts';
import { isClass, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import type { CapturedVariable } from './tracked-closure.ts';

/** What a function reads of a class as `Config.limit`; a class's own methods may never run. */
export function membersOf(
  tree: SyntaxTree,
  closure: SyntaxNode,
  { variable, references }: CapturedVariable,
): Pick<CaptureMeta, 'members'> {
  const [definition] = variable.defs;
  const init = definition?.type === 'Variable' ? (definition.node.init as SyntaxNode | null) : undefined;
  const mayBeClass =
    definition?.type === 'ClassName' || definition?.type === 'ImportBinding' || (init && isClass(init));
  if (isClass(closure) || !mayBeClass) return {};
  const members = references.flatMap((reference) => {
    const member = tree.parentOf(reference);
    const isRead = member?.type === 'MemberExpression' && member.object === reference && !member.computed;
    return isRead && member.property.type === 'Identifier' ? [member.property.name] : [];
  });
  return members.length === 0 ? {} : { members: [...new Set(members)] };
}

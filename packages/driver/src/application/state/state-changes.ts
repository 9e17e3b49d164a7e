import type { StreamGraph } from '@millrace/api/internal';
import type { LoggedStates } from './logged-state.ts';

/** What becomes of the keyed state that the log knows, and which is new, one sentence each. */
export function stateChanges(
  { stateful, stateNames }: Pick<StreamGraph, 'stateful' | 'stateNames'>,
  states: LoggedStates,
  dropped: readonly string[],
): readonly string[] {
  const used = stateful.map(({ operator: { name, version } }) => {
    const kept = states.get(name);
    if (!kept) return `state "${name}" is new`;
    const keys = kept.heads.reduce((sum, head) => sum + (head?.keys ?? 0), 0);
    const migrated =
      kept.valueVersion === version ? '' : `, migrated from version ${kept.valueVersion} to ${version}`;
    return `state "${name}" is kept: ${keys} keys${migrated}`;
  });
  const unused = [...states.keys()].filter((name) => !stateNames.has(name));
  return [
    ...used,
    ...unused.map((name) =>
      dropped.includes(name)
        ? `state "${name}" is dropped, as dropState asks`
        : `state "${name}" has no operator any more: it is kept, unread`,
    ),
  ];
}

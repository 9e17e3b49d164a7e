import type { LogState } from '../log/log-state.ts';

/** An input as the program has it now. */
export interface CurrentInput {
  readonly inputId: number;
  readonly description: string;
  readonly topics: ReadonlySet<string>;
}

/**
 * What a changed program does to the inputs that the log knows, one sentence each; what is kept needs none. Inputs are known by the
 * order of their creation, so one that was put before others is told by its topics.
 */
export function inputChanges(inputs: readonly CurrentInput[], { positions }: LogState): readonly string[] {
  if (positions.size === 0) return [];
  const notes = inputs.flatMap(({ inputId, description, topics }) => {
    const logged = positions.get(inputId);
    if (logged === undefined || logged.size === 0)
      return [`input ${inputId} is new (${description}): it begins where its options say`];
    const before = topicsOf(logged.values());
    if (topics.size === 0 || [...topics].some((topic) => before.has(topic))) return [];
    return [
      `input ${inputId} read ${[...before].join(', ')} and now reads ${description}: that begins at its earliest offsets; the old offsets are kept, unread. Were the streams of the job reordered?`,
    ];
  });
  const dropped = [...positions].filter(([id]) => !inputs.some(({ inputId }) => inputId === id));
  return [
    ...notes,
    ...dropped.map(
      ([id, logged]) =>
        `input ${id} is no longer there (${[...topicsOf(logged.values())].join(', ')}): its offsets are kept, unread`,
    ),
  ];
}

function topicsOf(positions: Iterable<{ readonly topic: string }>): ReadonlySet<string> {
  return new Set([...positions].map(({ topic }) => topic));
}

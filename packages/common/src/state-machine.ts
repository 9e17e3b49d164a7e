import { MillraceError } from './millrace-error.ts';

/** Allowed moves of a state machine, as a table: from → to. */
export type TransitionTable<S extends string> = Readonly<Record<S, readonly S[]>>;

/**
 * `to`, when the table allows the move.
 * @throws MillraceError INTERNAL "stage 4 cannot go from … to …".
 */
export function transition<S extends string>(table: TransitionTable<S>, subject: string, from: S, to: S): S {
  if (!table[from].includes(to)) {
    throw new MillraceError('INTERNAL', `${subject} cannot go from ${from} to ${to}`);
  }
  return to;
}

import { MillraceError } from '@millrace/common';
import { isPlannedBy, type PlannedProgram, programId, settingsOf } from '../program-identity.ts';
import type { SubmissionRecord, SubmittedProgram } from './submission-store.ts';

/** So many can be rolled back to. */
const EARLIER_MAX = 5;

/** By what `status` shows, and a rollback finds it. */
export function idOf({ programHash, config, environment }: SubmittedProgram): string {
  return programId({ programHash, settings: settingsOf(config, environment) });
}

export function hasPlanned(
  { programHash, config, environment }: SubmittedProgram,
  batch: PlannedProgram,
): boolean {
  return isPlannedBy(batch, { programHash, settings: settingsOf(config, environment) });
}

/** The programs that are kept beside `next`, newest first. That of a pending batch stays, however many came after it. */
export function earlierPrograms(
  before: SubmissionRecord | undefined,
  next: SubmittedProgram,
  pending: PlannedProgram | undefined,
): readonly SubmittedProgram[] {
  if (!before) return [];
  const { programHash, config, environment, submittedAt } = before;
  const known = new Set([idOf(next)]);
  const others = [{ programHash, config, environment, submittedAt }, ...before.earlier].filter((program) => {
    const id = idOf(program);
    const isNew = !known.has(id);
    known.add(id);
    return isNew;
  });
  return others.filter(
    (program, index) => index < EARLIER_MAX || (pending !== undefined && hasPlanned(program, pending)),
  );
}

/** The earlier program that a planned batch runs with before the submitted one goes on; undefined: none, or none that is kept. */
export function plannerOf(
  record: SubmissionRecord,
  pending: PlannedProgram | undefined,
): SubmittedProgram | undefined {
  if (!pending || record.withNewProgram === true || hasPlanned(record, pending)) return undefined;
  return record.earlier.find((program) => hasPlanned(program, pending));
}

/** The last one before, or that whose id begins with `to`. @throws MillraceError BAD_REQUEST. */
export function rollbackTarget({ name, earlier }: SubmissionRecord, to: string): SubmittedProgram {
  const ids = earlier.map((program) => idOf(program));
  const found = earlier.filter((_, index) => ids[index]?.startsWith(to));
  const [target] = found;
  if (target && (to === '' || found.length === 1)) return target;
  const remedy =
    earlier.length === 0
      ? 'Submit the code that it is to run.'
      : `It has ${ids.map((id) => id.slice(0, 12)).join(', ')}.`;
  const which = found.length > 1 ? `more than one earlier program ${to}…` : `no earlier program ${to}`;
  throw new MillraceError('BAD_REQUEST', `application ${name} has ${which.trimEnd()}`, { remedy });
}

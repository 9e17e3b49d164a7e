import { KEYED_SHAPE, type KeptState, type StreamGraph } from '@millrace/api/internal';
import { MillraceError, placed } from '@millrace/common';
import type { LoggedStates } from './logged-state.ts';
import { chainsOf } from './state-chains.ts';
import type { StateFiles } from './state-files.ts';

/** What keeps the operators of a job from going on with the state that there is. */
export function stateProblems(
  { stateful, inverseWindows, stateNames }: StreamGraph,
  states: LoggedStates,
  files: StateFiles | undefined,
  dropped: readonly string[],
): readonly MillraceError[] {
  if (!files) return [...stateNames].map(([name, place]) => noStore(name, place));
  const used = dropped.filter((name) => stateNames.has(name)).map((name) => dropsUsed(name));
  const unfit = stateful.flatMap(({ operator, place }) => {
    const { operation, name, version, functions } = operator;
    const kept = states.get(name);
    if (!kept) return [];
    if (kept.shape !== KEYED_SHAPE) return otherShape(operation, name, 'a window', place);
    const isOlder = kept.valueVersion < version;
    // `migrate` goes forward: that of an older program knows nothing of what came after it.
    if (kept.valueVersion === version || (isOlder && functions.some(({ role }) => role === 'migrate')))
      return [];
    const remedy = isOlder
      ? `Say how one becomes the other (migrate), go back to version ${kept.valueVersion}, or give the operator another name: then it begins anew.`
      : `A newer program has migrated it, and that cannot be undone: run that program, or one with a version above ${kept.valueVersion} that migrates it; or give the operator another name: then it begins anew.`;
    return new MillraceError(
      'STATE_VERSION',
      `${operation}(): the state named "${name}" has version ${kept.valueVersion}, this job expects ${version}`,
      { remedy, details: { place, kept: kept.valueVersion, expected: version } },
    );
  });
  // A window can be made again from its batches, what updateStateByKey kept cannot.
  const overwriting = inverseWindows.flatMap(({ operator: { operation, name }, place }) =>
    states.get(name)?.shape === KEYED_SHAPE
      ? [otherShape(operation, name, 'updateStateByKey or mapWithState', place)]
      : [],
  );
  const damaged = [...stateNames].flatMap(([name, place]) => {
    const kept = states.get(name);
    return kept ? damageOf(files, name, kept, place) : [];
  });
  return [...used, ...unfit, ...overwriting, ...damaged];
}

function otherShape(operation: string, name: string, owner: string, place: string): MillraceError {
  return new MillraceError('STATE_VERSION', `${operation}(): the state named "${name}" is that of ${owner}`, {
    remedy: 'Give the operator another name.',
    details: { place },
  });
}

function damageOf(files: StateFiles, name: string, kept: KeptState, place: string): readonly MillraceError[] {
  try {
    chainsOf(files, name, kept);
    return [];
  } catch (error) {
    return [placed(MillraceError.from(error, 'STATE_CORRUPT'), place)];
  }
}

/** For whoever runs the job; undefined: all state has its operator. */
export function unusedState(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const list = names.map((name) => `"${name}"`).join(', ');
  return `no operator of this job has the name ${list}: that state is kept; dropState: [${names.map((name) => `'${name}'`).join(', ')}] in the job's options gives it up`;
}

function noStore(name: string, place: string): MillraceError {
  return new MillraceError('STATE_STORE_MISSING', `"${name}" keeps state, and there is no directory for it`, {
    remedy: 'Give the embedded application a directory that outlives it: embed(job, { stateDir }).',
    details: { place },
  });
}

/** A start that is made again would drop what the operator has made since. */
function dropsUsed(name: string): MillraceError {
  return new MillraceError('JOB_INVALID', `dropState names "${name}", which an operator of the job has`, {
    remedy: 'Only state without an operator is dropped. To begin anew, give the operator another name.',
  });
}

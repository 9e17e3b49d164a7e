import { JOB_OPTIONS } from '@millrace/api/internal';
import { looksSecret } from '@millrace/closures';
import { contentHash } from '@millrace/proto/task';

/** What decides which rows a batch makes of its records: the code, and what was submitted with it. */
export interface ProgramIdentity {
  /** Of the bundle. */
  readonly programHash: string;
  /** See `settingsOf`. */
  readonly settings: string;
}

/** A batch as the log knows it: those that versions of Millrace without settings have planned have none. */
export interface PlannedProgram {
  readonly programHash: string;
  readonly settings?: string;
}

/** The others bound, retry and place tasks; of the name the whole log is. */
const DECISIVE_OPTIONS = ['batchInterval'] as const;

/**
 * Hash of those settings of a submission that may decide what its tasks compute; '' when there are none. The same on every machine, in every
 * order, however a value is written. Secrets do not count: they may be renewed while a batch is pending, and give access, not results.
 */
export function settingsOf(
  config: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>>,
): string {
  const options = DECISIVE_OPTIONS.flatMap((key) =>
    config[key] === undefined ? [] : [[key, JOB_OPTIONS[key].parse(config[key])]],
  );
  const variables = Object.entries(environment)
    .filter(([name, value]) => !looksSecret(name, value))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (options.length === 0 && variables.length === 0) return '';
  return contentHash(Buffer.from(JSON.stringify([options, variables]), 'utf8'));
}

/** One text for both. Without settings the hash of the code, as it is shown everywhere. */
export function programId({ programHash, settings }: ProgramIdentity): string {
  return settings === ''
    ? programHash
    : contentHash(Buffer.from(JSON.stringify([programHash, settings]), 'utf8'));
}

/** Whether running the batch with `program` makes what it was planned to make, as far as the log can tell. */
export function isPlannedBy(batch: PlannedProgram, { programHash, settings }: ProgramIdentity): boolean {
  return batch.programHash === programHash && (batch.settings ?? settings) === settings;
}

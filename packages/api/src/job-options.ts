import {
  type ConfigSchema,
  custom,
  duration,
  integer,
  MillraceError,
  optional,
  type Resolved,
  text,
} from '@millrace/common';

/** Options of a job: given to defineJob, overridden by `submit --conf key=value`. */
export const JOB_OPTIONS = {
  name: text({
    doc: 'names the application: its logs and offsets are found by it',
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  }),
  batchInterval: duration({ doc: 'tick period of the batch clock', min: 1, max: 24 * 3_600_000 }),
  taskAttemptsMax: integer({
    doc: "attempts that a task may fail (Spark's spark.task.maxFailures); a lost executor, and a Kafka that is away, do not count",
    default: 4,
    min: 1,
    max: 100,
  }),
  taskTimeout: duration({
    doc: 'a task that runs longer is killed and fails with TASK_TIMEOUT',
    default: 300_000,
    min: 100,
  }),
  localityWait: optional(
    duration({
      doc: 'how long a task waits for its preferred executor; default: min(3 s, a tenth of the batch interval), and at least 500 ms for the slot that holds its keyed state',
    }),
  ),
  batches: optional(integer({ doc: 'stop after this many completed batches', min: 1 })),
  dropState: custom((given) => stateNames(given), {
    doc: 'names of keyed state that no operator of the job has any more, and that is given up',
    default: [],
  }),
  logSegmentBytes: integer({
    doc: 'the offset and commit log is rotated at this size',
    unit: 'bytes',
    default: 1 << 20,
    min: 4096,
  }),
  logSegmentsRetained: integer({
    doc: 'rotated log segments that are kept',
    default: 8,
    min: 1,
    max: 10_000,
  }),
  kafkaTimeout: duration({
    doc: 'how long a running application, and each task of it, waits for a Kafka that is away before it fails, also when it is started again; submit waits 10 s, behind a log 40 s, at most',
    default: 600_000,
    min: 1000,
  }),
  actionResultBytesMax: integer({
    doc: "results of one action, over all its tasks (Spark's spark.driver.maxResultSize)",
    unit: 'bytes',
    default: 1 << 30,
    min: 1,
  }),
} satisfies ConfigSchema;

/** A list, or a text of names with commas between them. @throws MillraceError CONFIG_INVALID. */
function stateNames(given: unknown): readonly string[] {
  const names: unknown = typeof given === 'string' ? given.split(',').filter((name) => name !== '') : given;
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw new MillraceError('CONFIG_INVALID', `expected a list of names, got ${typeof given}`);
}

export type JobOptions = Resolved<typeof JOB_OPTIONS>;

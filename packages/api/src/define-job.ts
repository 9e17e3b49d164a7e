import { checkConfig, type Duration, MillraceError } from '@millrace/common';
import { JOB_OPTIONS, type JobOptions } from './job-options.ts';
import { StreamingContext } from './streaming-context.ts';

/** What defineJob is given. Every option of JOB_OPTIONS is one of these, too. */
export interface JobConfig {
  /** Names the application: its offsets and logs are found by it. */
  readonly name: string;
  readonly batchInterval: Duration;
  /** Attempts that a task may fail; default 4. */
  readonly taskAttemptsMax?: number;
  /** A task that runs longer is killed; default 5 minutes. */
  readonly taskTimeout?: Duration;
  /** How long a task waits for its preferred executor; default min(3 s, a tenth of the interval). */
  readonly localityWait?: Duration;
  /** Stop after this many completed batches. */
  readonly batches?: number;
  /** The log is rotated at this size; default 1 MiB. */
  readonly logSegmentBytes?: number;
  /** Rotated log segments that are kept; default 8. */
  readonly logSegmentsRetained?: number;
  /** How long a batch may wait for Kafka; default 1 minute. */
  readonly kafkaTimeout?: Duration;
}

export type BuildJob = (ssc: StreamingContext) => void | Promise<void>;

const JOB = Symbol.for('millrace.job');

/** The default export of a job module. */
export interface JobDefinition {
  readonly config: JobConfig;
  readonly build: BuildJob;
}

/**
 * A job: its options, and a function that registers streams and outputs. Building has no side effects: nothing runs before the application starts.
 */
export function defineJob(config: JobConfig, build: BuildJob): JobDefinition {
  return Object.freeze({ config, build, [JOB]: true });
}

export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && JOB in value;
}

/** An evaluated job: its options, its context with the graph, and what is wrong with its options. */
export interface EvaluatedJob {
  readonly options: JobOptions;
  readonly context: StreamingContext;
}

/**
 * Resolves the options (overrides win) and runs the job's function.
 * @throws MillraceError CONFIG_INVALID with every problem of the options; JOB_EVALUATION_FAILED with the cause when the function throws.
 */
export async function evaluateJob(
  definition: JobDefinition,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<EvaluatedJob> {
  const { problems, value: options } = checkConfig(
    JOB_OPTIONS,
    { ...definition.config, ...overrides },
    'defineJob',
  );
  if (options === undefined) throw new MillraceError('CONFIG_INVALID', problems.join('\n'));
  const context = new StreamingContext({ name: options.name, batchIntervalMs: options.batchInterval });
  try {
    await definition.build(context);
  } catch (error) {
    throw MillraceError.from(error, 'JOB_EVALUATION_FAILED', {
      remedy: 'Mend what the job function throws.',
    });
  }
  return { options, context };
}

import {
  type ConfigEntry,
  checkConfig,
  type Duration,
  MillraceError,
  placed,
  problemsError,
  stackOf,
} from '@millrace/common';
import { JOB_OPTIONS, type JobOptions } from './job-options.ts';
import { callerPlace, stackPlace } from './place.ts';
import type { FunctionShipper } from './shipped-function.ts';
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
  /** How long a task waits for its preferred executor; default min(3 s, a tenth of the interval), at least 500 ms where its keyed state is. */
  readonly localityWait?: Duration;
  /** Stop after this many completed batches. */
  readonly batches?: number;
  /** The log is rotated at this size; default 1 MiB. */
  readonly logSegmentBytes?: number;
  /** Rotated log segments that are kept; default 8. */
  readonly logSegmentsRetained?: number;
  /** How long a batch may wait for Kafka; default 1 minute. */
  readonly kafkaTimeout?: Duration;
  /** Bytes that the results of one action may have, over all its tasks; default 1 GiB. */
  readonly actionResultBytesMax?: number;
}

export type BuildJob = (ssc: StreamingContext) => void | Promise<void>;

const JOB = Symbol.for('millrace.job');

/** The default export of a job module. */
export interface JobDefinition {
  readonly config: JobConfig;
  readonly build: BuildJob;
  /** Where defineJob was called. */
  readonly place: string;
}

/**
 * A job: its options, and a function that registers streams and outputs. Building has no side effects: nothing runs before the application starts.
 */
export function defineJob(config: JobConfig, build: BuildJob): JobDefinition {
  return Object.freeze({ config, build, place: callerPlace(), [JOB]: true });
}

export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && JOB in value;
}

/** An evaluated job: its options, and its context with the graph and every problem that was found so far. */
export interface EvaluatedJob {
  readonly options: JobOptions;
  readonly context: StreamingContext;
}

/**
 * Resolves the options (overrides win) and runs the job's function. Problems of the options become problems of the graph,
 * so that they are reported with all others; what takes their place is only good for finding those.
 * @throws MillraceError JOB_EVALUATION_FAILED with the cause when the function throws; what it threw when that is coded;
 *   with the problems that were found before, and those of the lambdas that there are, which `ship` tries then.
 */
export async function evaluateJob(
  definition: JobDefinition,
  overrides: Readonly<Record<string, unknown>> = {},
  ship?: FunctionShipper,
): Promise<EvaluatedJob> {
  const { place } = definition;
  const given = { ...definition.config, ...overrides };
  const { problems, value } = checkConfig(JOB_OPTIONS, given, 'defineJob');
  const options = value ?? usableOptions(given);
  const context = new StreamingContext({ name: options.name, batchIntervalMs: options.batchInterval, place });
  const { graph } = context.internals;
  for (const problem of problems) {
    graph.check(() => {
      throw new MillraceError('CONFIG_INVALID', problem, { details: { place } });
    });
  }
  try {
    if (typeof definition.build !== 'function') throw noFunction(place);
    await definition.build(context);
  } catch (error) {
    const thrown = MillraceError.from(error, 'JOB_EVALUATION_FAILED', {
      remedy: 'Mend what the job function throws.',
    });
    if (ship) graph.tryLambdas(ship);
    throw problemsError([...graph.problems, placed(thrown, stackPlace(stackOf(error)) || place)]);
  }
  return { options, context };
}

function noFunction(place: string): MillraceError {
  return new MillraceError('JOB_INVALID', 'defineJob was given no function that makes the streams', {
    remedy: 'Write `defineJob({ name, batchInterval }, (ssc) => { … })`.',
    details: { place },
  });
}

/** No application can have this name. */
const UNNAMED = '.unnamed';
const STAND_INS: Readonly<Record<string, unknown>> = { name: UNNAMED, batchInterval: 1000 };

/** The options that are right, and something in the place of the others. */
function usableOptions(given: Readonly<Record<string, unknown>>): JobOptions {
  const entries: readonly (readonly [string, ConfigEntry<unknown>])[] = Object.entries(JOB_OPTIONS);
  const values = entries.map(([key, entry]) => {
    const { value } = checkConfig({ [key]: entry }, { [key]: given[key] }, '');
    return [key, value === undefined ? (entry.default ?? STAND_INS[key]) : value[key]];
  });
  return Object.fromEntries(values) as JobOptions;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateJob, type JobDefinition } from '@millrace/api/internal';
import { isDevFunction } from '@millrace/closures';
import {
  type Clock,
  type Logger,
  MillraceError,
  silentLogger,
  systemClock,
  unknownOption,
  withDeadline,
} from '@millrace/common';
import {
  ApplicationEngine,
  type ApplicationEvent,
  applicationLogFiles,
  applicationStateFiles,
  stateDirectory,
} from '@millrace/driver/embedding';
import { connectKafka } from '@millrace/kafka';
import { shippingByReference, shippingByValue } from './lambda-shipping.ts';
import { LocalBackend } from './local-backend.ts';
import { readableError } from './readable-error.ts';

export interface EmbedOptions {
  /** Tasks that may wait for Kafka at the same time; default 2. */
  readonly slots?: number;
  /** Where the offset and commit log is kept. Absent: a temporary directory, forgotten at the end: each start is a first run. */
  readonly stateDir?: string;
  /** Overrides of the job's options. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Batches, notices, what print() prints ('output') and the end, as they happen. Absent: print() goes to standard output. */
  readonly onEvent?: (event: ApplicationEvent) => void;
}

const OPTION_NAMES: Readonly<Record<keyof EmbedOptions, true>> = {
  slots: true,
  stateDir: true,
  config: true,
  logger: true,
  clock: true,
  onEvent: true,
};

/** An application in this process. */
export interface EmbeddedApplication {
  readonly name: string;
  /**
   * Checks everything, takes the epoch and begins to run. Once: called again, it answers the same.
   * @throws MillraceError the only problem, or JOB_INVALID listing all of them.
   */
  start(): Promise<void>;
  /**
   * Resolves when the application has been stopped, or has completed its `batches`.
   * @throws MillraceError what it failed with; DEADLINE_EXCEEDED after `timeoutMs`.
   */
  awaitTermination(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * graceful (the default): the running batch is finished and committed. Otherwise it is cancelled, and runs again at the next start.
   * @throws MillraceError DRAIN_TIMEOUT: it is stopped, but the batch was not finished in time, and runs again at the next start.
   */
  stop(options?: { readonly graceful?: boolean }): Promise<void>;
}

/**
 * Runs a job in this process, with the same module that `submit` takes. When the module went through Millrace's transform (in a test
 * runner, or loaded with `node --import @millrace/local/register`), lambdas are captured and revived as on a cluster, and a task that
 * changes a captured object is warned of; otherwise they run by reference.
 * Problems of its options are thrown by `start`, with all others.
 * @throws MillraceError JOB_EVALUATION_FAILED, or what the job function threw when that is coded; CONFIG_INVALID for an unknown option, or when `slots` is no integer above 0.
 */
export async function embed(job: JobDefinition, options: EmbedOptions = {}): Promise<EmbeddedApplication> {
  return await readably(prepare(job, options));
}

async function prepare(job: JobDefinition, options: EmbedOptions): Promise<EmbeddedApplication> {
  const { clock = systemClock, logger = silentLogger, slots = 2 } = options;
  checkOptions(options, slots);
  const evaluated = await evaluateJob(job, options.config);
  const temporary = options.stateDir === undefined ? await mkdtemp(join(tmpdir(), 'millrace-')) : undefined;
  const event = options.onEvent ?? printOutput;
  const warn = (text: string): void => event({ kind: 'notice', level: 'warn', text });
  const { engine, ship, mapError } = isDevFunction(job.build)
    ? shippingByValue({ clock, warn })
    : shippingByReference();
  const name = evaluated.options.name;
  const backend = new LocalBackend({
    application: name,
    slots,
    engine,
    clock,
    logger,
    ...(options.stateDir !== undefined && { stateDirectory: stateDirectory(options.stateDir, name) }),
  });
  const application = new ApplicationEngine({
    job: evaluated,
    programHash: 'embedded',
    backend,
    clock,
    logger,
    connectKafka: (kafka) => connectKafka(kafka, { clock, logger }),
    logFiles: applicationLogFiles(options.stateDir ?? temporary ?? '', name),
    ...(options.stateDir !== undefined && { stateFiles: applicationStateFiles(options.stateDir, name) }),
    event,
    ship,
    mapError,
  });
  const ended = application.done.then(async (failure) => {
    await backend.close();
    // What is left in the system's temporary directory is no reason to hide how the application ended.
    if (temporary !== undefined)
      await rm(temporary, { recursive: true, force: true }).catch((error: unknown) =>
        logger.warn({ err: error, temporary }, 'a temporary directory was not removed'),
      );
    return failure;
  });
  let started: Promise<void> | undefined;
  return {
    name,
    start() {
      started ??= readably(application.validate().then(async () => void (await application.start())));
      return started;
    },
    async awaitTermination({ timeoutMs } = {}) {
      const what = `application ${name}`;
      const failure = await (timeoutMs === undefined ? ended : withDeadline(ended, timeoutMs, what, clock));
      if (failure) throw readableError(failure);
    },
    async stop({ graceful = true } = {}) {
      application.stop({ mode: graceful ? 'drain' : 'now' });
      const failure = await ended;
      if (MillraceError.is(failure, 'DRAIN_TIMEOUT')) throw readableError(failure);
    },
  };
}

async function readably<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw readableError(error);
  }
}

/** A misspelt `stateDir` would forget the offsets at every start. */
function checkOptions(options: EmbedOptions, slots: number): void {
  const known = Object.keys(OPTION_NAMES);
  const problems = Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `embed: ${unknownOption(name, known)}`);
  if (!Number.isSafeInteger(slots) || slots < 1)
    problems.push(`embed: slots: expected an integer above 0, got ${slots}`);
  if (problems.length > 0) throw new MillraceError('CONFIG_INVALID', problems.join('\n'));
}

function printOutput(event: ApplicationEvent): void {
  if (event.kind === 'output') process.stdout.write(event.text);
}

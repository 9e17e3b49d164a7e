import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateJob, type JobDefinition } from '@millrace/api/internal';
import {
  type Clock,
  type Logger,
  MillraceError,
  silentLogger,
  systemClock,
  withDeadline,
} from '@millrace/common';
import { ApplicationEngine, type ApplicationEvent, applicationLogFiles } from '@millrace/driver/embedding';
import { type TaskEngine, taskEngine } from '@millrace/executor';
import { connectKafka } from '@millrace/kafka';
import { FunctionReferences } from './function-references.ts';
import { LocalBackend } from './local-backend.ts';

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

/** An application in this process. */
export interface EmbeddedApplication {
  readonly name: string;
  /**
   * Checks everything, takes the epoch and begins to run.
   * @throws MillraceError the only problem, or JOB_INVALID listing all of them.
   */
  start(): Promise<void>;
  /**
   * Resolves when the application has been stopped, or has completed its `batches`.
   * @throws MillraceError what it failed with; DEADLINE_EXCEEDED after `timeoutMs`.
   */
  awaitTermination(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** graceful (the default): the running batch is finished and committed. Otherwise it is cancelled, and runs again at the next start. */
  stop(options?: { readonly graceful?: boolean }): Promise<void>;
}

/**
 * Runs a job in this process, with the same module that `submit` takes. Lambdas need no bundling: they run by reference.
 * Problems of its options are thrown by `start`, with all others.
 * @throws MillraceError JOB_EVALUATION_FAILED, or what the job function threw when that is coded; CONFIG_INVALID when `slots` is no integer above 0.
 */
export async function embed(job: JobDefinition, options: EmbedOptions = {}): Promise<EmbeddedApplication> {
  const { clock = systemClock, logger = silentLogger, slots = 2 } = options;
  if (!Number.isSafeInteger(slots) || slots < 1) {
    throw new MillraceError('CONFIG_INVALID', `slots: expected an integer above 0, got ${slots}`);
  }
  const evaluated = await evaluateJob(job, options.config);
  const temporary = options.stateDir === undefined ? await mkdtemp(join(tmpdir(), 'millrace-')) : undefined;
  const references = new FunctionReferences();
  const engine: TaskEngine = { ...taskEngine(), openProgram: async () => references.program };
  const name = evaluated.options.name;
  const backend = new LocalBackend({ application: name, slots, engine, clock, logger });
  const application = new ApplicationEngine({
    job: evaluated,
    programHash: 'embedded',
    backend,
    clock,
    logger,
    connectKafka: (kafka) => connectKafka(kafka, { clock, logger }),
    logFiles: applicationLogFiles(options.stateDir ?? temporary ?? '', name),
    event: options.onEvent ?? printOutput,
    ship: references.ship,
  });
  const ended = application.done.then(async (failure) => {
    await backend.close();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    return failure;
  });
  return {
    name,
    async start() {
      await application.validate();
      await application.start();
    },
    async awaitTermination({ timeoutMs } = {}) {
      const what = `application ${name}`;
      const failure = await (timeoutMs === undefined ? ended : withDeadline(ended, timeoutMs, what, clock));
      if (failure) throw failure;
    },
    async stop({ graceful = true } = {}) {
      application.stop({ mode: graceful ? 'drain' : 'now' });
      await ended;
    },
  };
}

function printOutput(event: ApplicationEvent): void {
  if (event.kind === 'output') process.stdout.write(event.text);
}

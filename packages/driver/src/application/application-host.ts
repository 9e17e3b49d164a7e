import type { EvaluatedJob } from '@millrace/api/internal';
import { type JobWarning, warningText } from '@millrace/closures';
import {
  assertNever,
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  problemsError,
  type Random,
  withDeadline,
} from '@millrace/common';
import { connectKafka, type KafkaClient, type KafkaOptions } from '@millrace/kafka';
import type { ApplicationEvent } from '../application-events.ts';
import type { DriverToHost, HostProgramMessage, HostToDriver } from '../host-protocol.ts';
import { withKafkaTimeout } from '../kafka-away.ts';
import { settingsOf } from '../program-identity.ts';
import { ApplicationEngine } from './application-engine.ts';
import { type CheckpointFiles, IN_DIRECTORY, openCheckpointStore } from './checkpoint/checkpoint-store.ts';
import { IpcTaskBackend } from './ipc-task-backend.ts';
import { KafkaClients } from './kafka-clients.ts';
import { closureShipper, loadProgram } from './load-program.ts';
import { OffsetEditor } from './offsets/offset-editor.ts';
import { framed, programErrors } from './program-errors.ts';
import { userError } from './user-error.ts';

export interface ApplicationHostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly send: (message: HostToDriver) => void;
  /** Makes the environment of the job: only this process has it. */
  readonly setEnvironment: (environment: Readonly<Record<string, string>>) => void;
  /** Ends the process when all messages are on their way. */
  readonly exit: (code: number) => void;
}

type StartMessage = Extract<DriverToHost, { readonly kind: 'start' }>;

/** Evaluating a module, not counting what Kafka takes. */
const EVALUATION_TIMEOUT_MS = 60_000;
const NAME_TIMEOUT_MS = 60_000;
/** After an uncaught exception the application has so long to end in order. */
const FAIL_TIMEOUT_MS = 5_000;

/** What an application host process does: one application, from 'start' to its end. */
export class ApplicationHost {
  readonly #options: ApplicationHostOptions;
  /** With the epoch that is known. */
  readonly #granted = Promise.withResolvers<number>();
  #backend: IpcTaskBackend | undefined;
  #engine: ApplicationEngine | undefined;
  #failed = false;
  /** Moves errors to the user's sources, once there is a program. */
  #mapError = (error: ErrorRecord): ErrorRecord => error;

  constructor(options: ApplicationHostOptions) {
    this.#options = options;
  }

  receive(message: DriverToHost): void {
    switch (message.kind) {
      case 'start':
        void this.#run(message);
        return;
      case 'edit-offsets':
        void this.#editOffsets(message);
        return;
      case 'name-granted':
        this.#granted.resolve(message.knownEpoch);
        return;
      case 'task-events':
        for (const event of message.events) this.#backend?.taskEvent(event);
        return;
      case 'blob-stored':
        this.#backend?.blobStored(message.hash, message.error);
        return;
      case 'slots':
        if (this.#backend) this.#backend.slots = message.slots;
        return;
      case 'ping':
        this.#options.send({ kind: 'pong', sequence: message.sequence });
        return;
      case 'stop':
        if (this.#engine) this.#engine.stop({ mode: message.mode });
        else this.#options.exit(0);
        return;
      default:
        assertNever(message, 'driver message');
    }
  }

  /** An exception or a rejection that nobody caught: mostly user code in a callback. The application fails with it. */
  uncaught(error: unknown): void {
    const { clock, logger, exit } = this.#options;
    if (this.#failed || this.#engine?.state === 'ENDED') return;
    this.#failed = true;
    logger.error({ err: error }, 'an error that nobody caught');
    const coded = userError(error, 'USER_CODE', 'a callback or a promise of the job that nobody waits for', {
      remedy: 'Catch it where it is thrown; await or return every promise.',
    });
    if (this.#engine && this.#engine.state !== 'CREATED') {
      this.#engine.fail(coded);
      clock.schedule(FAIL_TIMEOUT_MS, () => exit(1));
      return;
    }
    this.#refuse(this.#mapped(coded));
  }

  async #run(start: StartMessage): Promise<void> {
    const { clock, send, exit } = this.#options;
    this.#mapError = programErrors(start.programDir);
    try {
      const engine = await this.#prepare(start);
      this.#engine = engine;
      const anew = start.anew === true;
      const notes = await engine.validate({ anew });
      const { name: application, batchInterval: batchIntervalMs } = engine.options;
      send({ kind: 'validated', application, batchIntervalMs, notes });
      const granted = this.#granted.promise;
      const knownEpoch = await withDeadline(granted, NAME_TIMEOUT_MS, 'granting the name', clock);
      const { epoch, sums } = await engine.start({ knownEpoch, anew });
      send({ kind: 'started', application, epoch, sums });
      exit((await engine.done) ? 1 : 0);
    } catch (error) {
      if (MillraceError.is(error, 'CANCELLED')) exit(0);
      else this.#refuse(this.#mapped(error));
    }
  }

  async #editOffsets(message: Extract<DriverToHost, { readonly kind: 'edit-offsets' }>): Promise<void> {
    const { clock, logger, send, exit } = this.#options;
    this.#mapError = programErrors(message.programDir);
    const clients = new KafkaClients((options) => this.#connect(options));
    try {
      const { options, context } = await this.#evaluate(message);
      const files = await this.#checkpoint(message, options.name);
      const { graph } = context.internals;
      const problem = problemsError(graph.problems);
      if (problem) throw problem;
      const editor = new OffsetEditor({
        application: options.name,
        inputs: graph.graph.inputs,
        kafka: (client) => clients.get(client),
        files: files.log,
        clock,
        logger,
        segmentBytes: options.logSegmentBytes,
        segmentsRetained: options.logSegmentsRetained,
        knownEpoch: message.knownEpoch,
      });
      send({ kind: 'offsets', report: await editor.edit(message.change, message.execute) });
      exit(0);
    } catch (error) {
      this.#refuse(this.#mapped(error));
    }
  }

  async #prepare(start: StartMessage): Promise<ApplicationEngine> {
    const { clock, logger, send } = this.#options;
    const backend = new IpcTaskBackend({ send, clock, slots: start.slots });
    this.#backend = backend;
    const job = await this.#evaluate(start);
    const files = await this.#checkpoint(start, job.options.name);
    return new ApplicationEngine({
      job,
      programHash: start.programHash,
      settings: settingsOf(start.config, start.environment),
      onlyPending: start.onlyPending === true,
      backend,
      clock,
      logger,
      connectKafka: (options) => this.#connect(options),
      logFiles: files.log,
      stateFiles: files.state,
      event: (event) => this.#event(event),
      ship: closureShipper((warning) => this.#warn(warning)),
      mapError: this.#mapError,
    });
  }

  /** Open until this process ends. */
  async #checkpoint(
    { checkpointStore = IN_DIRECTORY, applicationsDir }: HostProgramMessage,
    application: string,
  ): Promise<CheckpointFiles> {
    const store = await openCheckpointStore(checkpointStore, applicationsDir, this.#options);
    return store.open(application);
  }

  #evaluate({ application, programDir, config, environment }: HostProgramMessage): Promise<EvaluatedJob> {
    this.#options.setEnvironment(environment);
    const overrides = application === undefined ? config : { ...config, name: application };
    const evaluation = loadProgram(programDir, overrides, (warning) => this.#warn(warning));
    return withDeadline(evaluation, EVALUATION_TIMEOUT_MS, evaluationTooSlow, this.#options.clock);
  }

  #connect(options: KafkaOptions): KafkaClient {
    const { clock, random, logger } = this.#options;
    return connectKafka(options, { clock, random, logger });
  }

  #event(event: ApplicationEvent): void {
    this.#options.send({ kind: 'event', event });
  }

  #warn(warning: JobWarning): void {
    this.#event({ kind: 'notice', level: 'warn', text: warningText(warning), warning });
  }

  #mapped(error: unknown): MillraceError {
    return MillraceError.fromRecord(this.#mapError(MillraceError.toRecord(error)));
  }

  #refuse(error: MillraceError): void {
    const record = framed(MillraceError.toRecord(error));
    const kafkaTimeoutMs = this.#engine?.options.kafkaTimeout;
    const refusal = kafkaTimeoutMs === undefined ? record : withKafkaTimeout(record, kafkaTimeoutMs);
    this.#options.send({ kind: 'refused', error: refusal });
    this.#options.exit(1);
  }
}

function evaluationTooSlow(): MillraceError {
  return new MillraceError(
    'JOB_EVALUATION_FAILED',
    `the job was not evaluated within ${EVALUATION_TIMEOUT_MS / 1000} s`,
    {
      remedy: 'Look for a top-level await, or a job function, that does not end.',
    },
  );
}

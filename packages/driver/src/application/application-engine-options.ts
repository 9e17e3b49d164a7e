import type { EvaluatedJob, FunctionShipper } from '@millrace/api/internal';
import type { Clock, ErrorRecord, Logger } from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { ApplicationEvent } from '../application-events.ts';
import type { TaskBackend } from '../task-backend.ts';
import type { LogFiles } from './log/log-files.ts';
import type { StateFiles } from './state/state-files.ts';

export interface ApplicationEngineOptions {
  readonly job: EvaluatedJob;
  readonly programHash: string;
  /** What was submitted with it: see settingsOf. Absent: nothing. */
  readonly settings?: string;
  /** Ends when the batch that the log holds without its commit is done, or there is none. */
  readonly onlyPending?: boolean;
  readonly backend: TaskBackend;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opened lazily: makes no connection itself. The engine closes it. */
  readonly connectKafka: (options: KafkaOptions) => KafkaClient;
  /** See `applicationLogFiles`. */
  readonly logFiles: LogFiles;
  /** Where keyed state is kept. Absent: nowhere; a job that has any is refused. See `applicationStateFiles`. */
  readonly stateFiles?: StateFiles;
  /** Whoever watches. The last event is 'ended'. */
  readonly event: (event: ApplicationEvent) => void;
  readonly ship: FunctionShipper;
  /** Moves the stack of an error to the user's sources. */
  readonly mapError?: (error: ErrorRecord) => ErrorRecord;
}

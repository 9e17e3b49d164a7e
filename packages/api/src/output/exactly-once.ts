import { MillraceError } from '@millrace/common';
import type { KafkaOptions, Progress } from '@millrace/kafka';
import { decodeResult } from '../actions/index.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { RddNode } from '../lineage/rdd-node.ts';
import type { KafkaWriteCall } from './kafka-sink.ts';

/** An output that writes each task's records, and how far it has got, in one Kafka transaction. */
export interface ExactlyOnceOutput {
  /** Unique in the job, stable over its changes: transactional ids are made of it. */
  readonly name: string;
  /** What they begin with, before the application's name. */
  readonly transactionalIdPrefix: string;
  readonly client: KafkaOptions;
  readonly deliveryTimeoutMs: number;
}

/** What the tasks of one batch must know to write in transactions. */
export interface TransactionSettings {
  /** The transactional id of a task is this, "/", and its partition. */
  readonly prefix: string;
  /** Of all that the records depend on. */
  readonly planHash: string;
  /** See Progress. */
  readonly log: string;
  /** See Attempt. */
  readonly after: number;
  /** At least as long as the task may take. */
  readonly timeoutMs: number;
}

/** The engine's side of exactly-once outputs. */
export interface OutputTransactions {
  /**
   * So many tasks of the output are about to run in this batch: their transactional ids are the application's from here on.
   * @throws MillraceError FENCED, OUTPUT_CONFLICT, LOG_WRITE_FAILED, KAFKA_UNREACHABLE …
   */
  begin(output: ExactlyOnceOutput, tasks: number): Promise<TransactionSettings>;
}

/** What a task brings whose records were there already: so many. */
export interface SkippedTask {
  readonly skipped: number;
}

/** Runs the action of an exactly-once output. @throws as RDD.toKafka; FENCED, OUTPUT_CONFLICT. */
export async function writeInTransactions(
  node: RddNode,
  runner: JobRunner,
  name: string,
  { functions, numbers, value }: KafkaWriteCall,
  place: string,
): Promise<void> {
  const shipped = functions.map((f) => runner.ship(f, 'kafkaWrite'));
  const action = { kind: 'kafkaWrite', functions: shipped, numbers, value, place } as const;
  const results = (await runner.run({ node, action })).map(
    (bytes) => decodeResult(bytes) as number | SkippedTask,
  );
  const skipped = results.flatMap((result) => (typeof result === 'number' ? [] : result.skipped));
  if (skipped.length === 0) return;
  const records = skipped.reduce((sum, each) => sum + each, 0);
  runner.notice(
    `output "${name}": ${records} records of ${skipped.length} task${skipped.length === 1 ? '' : 's'} were there already, and were not written again`,
  );
}

/** `found` is of a newer run than `epoch`. */
export function outputFenced(prefix: string, found: number, epoch: number): MillraceError {
  return new MillraceError(
    'FENCED',
    `epoch ${found} has taken over the output ${prefix} from epoch ${epoch}`,
    {
      remedy:
        'Nothing is lost when a newer run of the application goes on. When none does, the log is an older copy: use the newest one; or give the output another name, and write again what is read again.',
      details: { epoch, newer: found },
    },
  );
}

/** An application of this name has it, whose log is another one. */
export function outputForeign(prefix: string, { log, epoch }: Progress, own: string): MillraceError {
  return new MillraceError(
    'FENCED',
    `the output ${prefix} is written by an application of this name with another log (${log}, epoch ${epoch}; this one is ${own})`,
    {
      remedy:
        'Either another driver runs it with the same Kafka: give the output another transactionalIdPrefix. Or the log of this one was lost: put it back. To begin anew, and write again what is read again: submit with --start-anew, or give the output another name.',
      details: { output: prefix, log: own, found: log },
    },
  );
}

/** What lies in Kafka is of the planned batch with other contents, or of one that the log does not know. */
export function outputConflict(
  prefix: string,
  found: Progress,
  batchTime: number | undefined,
): MillraceError {
  const batch = `batch ${new Date(found.batchTime).toISOString()}`;
  const what =
    found.batchTime === batchTime
      ? `the output ${prefix} has records of ${batch} as another program, or another number of tasks, made them`
      : `the output ${prefix} has records of ${batch}, which the log of the application does not know`;
  return new MillraceError('OUTPUT_CONFLICT', what, {
    remedy:
      found.batchTime === batchTime
        ? 'Let the batch finish with the program and the options that it was planned with: submit without --with-new-program (with it when that is how a changed one has begun to write it), or submit those again, let it end (stop --drain), then submit the changed ones. When that program cannot finish it, give up what is visible and read the rest again with millrace offsets set, as docs/delivery.md says ("A bug in a batch that is half visible"): what it has written stays.'
        : 'An older copy of the log was put back, or another driver runs a copy of it: use the newest one. To go on with this one, and write again what is read again: submit with --start-anew, or give the output another name.',
    details: { output: prefix, found: found.batchTime, ...(batchTime !== undefined && { batchTime }) },
  });
}

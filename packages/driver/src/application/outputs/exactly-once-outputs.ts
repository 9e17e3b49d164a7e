import {
  type ExactlyOnceOutput,
  type OutputTransactions,
  outputConflict,
  type TransactionSettings,
} from '@millrace/api/internal';
import { crashPoint, MillraceError } from '@millrace/common';
import { ensureProgressTopic, type KafkaClient, type KafkaOptions, type Progress } from '@millrace/kafka';
import { contentHash } from '@millrace/proto/task';
import { isPlannedBy, type ProgramIdentity, programId } from '../../program-identity.ts';
import { KafkaPatience, type PatienceOptions, type Wait } from '../input/kafka-patience.ts';
import type { ApplicationLog } from '../log/application-log.ts';
import type { PlannedBatch } from '../log/log-record.ts';
import { beginsAnew, begunOutputs, type LogState } from '../log/log-state.ts';
import { type ClaimOptions, type ClaimTime, claimProgress } from './claim-progress.ts';
import { isForgotten, outputPrefix } from './output-prefix.ts';

/** Ids that are claimed at the same time: each takes five requests, one after the other. */
const CLAIMS_AT_ONCE = 16;

const DAY_MS = 24 * 3_600_000;

/** Kafka's defaults of transactional.id.expiration.ms and offsets.retention.minutes. */
const RETENTION_MS = 7 * DAY_MS;

/** An output without records for long is not to look like one whose progress Kafka has forgotten. */
const REFRESH_MS = DAY_MS;

export interface ExactlyOnceOutputsOptions extends Omit<PatienceOptions, 'brokers'> {
  readonly application: string;
  readonly program: ProgramIdentity;
  readonly outputs: readonly ExactlyOnceOutput[];
  /** What the log knows all exactly-once outputs of the program by, those to other systems than Kafka, too. */
  readonly known: readonly string[];
  readonly log: Pick<ApplicationLog, 'epoch' | 'output' | 'settled'> & { readonly state: LogState };
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly taskTimeoutMs: number;
  /** For all that is asked of Kafka at the start. */
  readonly claimTimeoutMs: number;
  /** For all that a batch asks of it. */
  readonly kafkaTimeoutMs: number;
  /** Aborted: the running batch is over. */
  readonly cancelled: AbortSignal;
}

/**
 * The host's part in the exactly-once protocol: it claims every transactional id that a task of an earlier run may write under before this run plans
 * anything, and those of more tasks before the first of them runs; the log says how many there are.
 */
export class ExactlyOnceOutputs implements OutputTransactions {
  readonly #options: ExactlyOnceOutputsOptions;
  readonly #patience: KafkaPatience;
  /** By prefix: what was found under its ids when they were claimed. */
  readonly #found = new Map<string, readonly Progress[]>();
  /** By prefix: when its first id was claimed last. */
  readonly #claimedAt = new Map<string, number>();

  constructor(options: ExactlyOnceOutputsOptions) {
    this.#options = options;
    const brokers = new Set(options.outputs.flatMap(({ client }) => client.brokers));
    this.#patience = new KafkaPatience({ ...options, brokers: [...brokers] });
  }

  /** @throws MillraceError FENCED, OUTPUT_CONFLICT, OUTPUT_EXPIRED, CONFIG_INVALID, KAFKA_UNREACHABLE, KAFKA_AUTH; the reason of the signal. */
  async claim(signal: AbortSignal): Promise<void> {
    const { outputs, log, claimTimeoutMs } = this.#options;
    const { pending } = log.state;
    if (pending) this.#checkPending(pending);
    if (outputs.length === 0) return;
    const clients = new Set(outputs.map(({ client }) => this.#options.kafka(client)));
    await this.#inTime({ patienceMs: claimTimeoutMs, signal }, async (time) => {
      await Promise.all([...clients].map((client) => ensureProgressTopic(client)));
      await Promise.all(outputs.map((output) => this.#claimLogged(output, time)));
    });
  }

  async #claimLogged(output: ExactlyOnceOutput, time: ClaimTime): Promise<void> {
    const { state } = this.#options.log;
    const { pending } = state;
    const prefix = this.#prefix(output);
    const logged = state.outputs.get(prefix) ?? 0;
    const isBegun = begunOutputs(state).has(prefix);
    // An earlier run may have begun it: this program, with how many tasks is not known yet; or another one, which was told to.
    const own = new Set(
      pending && Array.from({ length: logged }, (_, more) => this.#planHash(pending, output, more + 1)),
    );
    const check = (found: Progress | undefined, task: number): void => {
      if (pending && isBegun && task === 0 && !found)
        throw expired(pending.batchTime, `Kafka does not know how far ${prefix}/${task} got`);
      checkFound(prefix, found, state, own);
    };
    // One at least: what Kafka does not allow shows before the first batch; and no id of tasks is claimed before the first one.
    const until = Math.max(1, logged);
    const isAnew = beginsAnew(state);
    this.#found.set(prefix, await this.#claim(output, 0, until, { time, check, isAnew }));
  }

  async begin(output: ExactlyOnceOutput, tasks: number): Promise<TransactionSettings> {
    const { clock, log, taskTimeoutMs, kafkaTimeoutMs, cancelled } = this.#options;
    const prefix = this.#prefix(output);
    const { pending } = log.state;
    if (!pending) throw new MillraceError('INTERNAL', 'an output is written outside of a batch');
    const planHash = this.#planHash(pending, output, tasks);
    // Before any of the tasks runs: where only some of their ids have another content, the others must not get this one.
    const own = new Set([planHash]);
    const check = (found: Progress | undefined): void => checkFound(prefix, found, log.state, own);
    for (const found of this.#found.get(prefix) ?? []) check(found);
    const wait = { patienceMs: kafkaTimeoutMs, option: 'kafkaTimeout', signal: cancelled } as const;
    const claim = (from: number, until: number, isAnew = false) =>
      this.#inTime(wait, (time) => this.#claim(output, from, until, { time, check, isAnew }));
    const logged = log.state.outputs.get(prefix) ?? 0;
    if (tasks > logged) await claim(Math.max(1, logged), tasks, log.state.isAnew);
    // Behind the claim: what the log names is this log's own, also after a death in between. Before the first task: the next run claims what that may use.
    if (tasks > logged || (logged > 0 && !begunOutputs(log.state).has(prefix))) {
      log.output(prefix, Math.max(tasks, logged));
      await log.settled();
    }
    const claimedAt = this.#claimedAt.get(prefix) ?? 0;
    if (clock.monotonic() - claimedAt >= REFRESH_MS) await claim(0, 1);
    const { id = '', lastCommitted = 0 } = log.state;
    return { prefix, planHash, log: id, after: lastCommitted, timeoutMs: taskTimeoutMs };
  }

  async #claim(
    output: ExactlyOnceOutput,
    from: number,
    until: number,
    rest: Pick<ClaimOptions, 'time' | 'check' | 'isAnew'>,
  ): Promise<readonly Progress[]> {
    const { clock, log, kafka, taskTimeoutMs } = this.#options;
    const prefix = this.#prefix(output);
    const claim = {
      client: kafka(output.client),
      clock,
      prefix,
      epoch: log.epoch,
      log: log.state.id ?? '',
      transactionTimeoutMs: taskTimeoutMs,
      ...rest,
    };
    const found: Progress[] = [];
    let next = from;
    const claimSome = async (): Promise<void> => {
      while (next < until) {
        const progress = await claimProgress(next++, claim);
        crashPoint('between-claims');
        if (progress) found.push(progress);
      }
    };
    await Promise.all(Array.from({ length: CLAIMS_AT_ONCE }, claimSome));
    if (from === 0) this.#claimedAt.set(prefix, clock.monotonic());
    return found;
  }

  /** One deadline for all of `work`; nobody who leaves waits for it. */
  async #inTime<T>(wait: Wait, work: (time: ClaimTime) => Promise<T>): Promise<T> {
    const { application, clock } = this.#options;
    const over = new AbortController();
    const time = {
      deadline: clock.monotonic() + wait.patienceMs,
      signal: AbortSignal.any([wait.signal, over.signal]),
    };
    const what = `taking over the exactly-once outputs of ${application}`;
    try {
      return await this.#patience.attempt(what, wait, () => work(time));
    } finally {
      over.abort(new MillraceError('CANCELLED', `${what} is given up`));
    }
  }

  /** What the output is of the batch when this program writes it with so many tasks. */
  #planHash(pending: PlannedBatch, { name }: ExactlyOnceOutput, tasks: number): string {
    const { program } = this.#options;
    // A batch that was planned without settings may be visible in part, under a hash without them.
    const by = pending.settings === undefined ? program.programHash : programId(program);
    return contentHash(Buffer.from(JSON.stringify([pending.planHash, by, name, tasks]), 'utf8'));
  }

  #checkPending(pending: PlannedBatch): void {
    const { clock, log } = this.#options;
    const { batchTime } = pending;
    const batch = `batch ${new Date(batchTime).toISOString()}`;
    const begun = begunOutputs(log.state);
    if ([...begun].some(isForgotten) && clock.now() - batchTime > RETENTION_MS)
      throw expired(batchTime, `it was planned more than ${RETENTION_MS / DAY_MS} days ago`);
    // Where the plan does not tell, many of them may be of older programs.
    if (pending.outputs === undefined && isPlannedBy(pending, this.#options.program)) return;
    const known = new Set(this.#options.known);
    const gone = [...begun].filter((prefix) => !known.has(prefix));
    if (gone.length === 0) return;
    throw new MillraceError(
      'OUTPUT_CONFLICT',
      `${batch} may be in exactly-once outputs that this program does not have: ${gone.join(', ')}`,
      {
        remedy:
          'Let the batch finish with the program that has these outputs: submit without --with-new-program (with it when that program was the new one), or submit that program again, let it end (stop --drain), then submit the changed one. Or give the batch up with millrace offsets set: what it has written stays.',
        details: { batchTime },
      },
    );
  }

  #prefix(output: ExactlyOnceOutput): string {
    return outputPrefix(output, this.#options.application);
  }
}

function expired(batchTime: number, why: string): MillraceError {
  const batch = `batch ${new Date(batchTime).toISOString()}`;
  return new MillraceError(
    'OUTPUT_EXPIRED',
    `it is not known what of ${batch} exactly-once outputs have: ${why}`,
    {
      remedy:
        'Look at what the topics have of it, then give the batch up with millrace offsets set, from where it began or from where it ended.',
      details: { batchTime },
    },
  );
}

/**
 * `own`: hashes of what this program writes of the planned batch.
 * @throws MillraceError OUTPUT_CONFLICT: something else of it is there, or a batch that the log does not know.
 */
function checkFound(
  prefix: string,
  found: Progress | undefined,
  { pending, lastCommitted = 0 }: LogState,
  own: ReadonlySet<string>,
): void {
  if (found === undefined || found.batchTime <= lastCommitted) return;
  if (found.batchTime === pending?.batchTime && own.has(found.planHash)) return;
  throw outputConflict(prefix, found, pending?.batchTime);
}

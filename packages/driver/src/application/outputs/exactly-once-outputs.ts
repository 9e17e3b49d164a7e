import {
  type ExactlyOnceOutput,
  type OutputTransactions,
  outputConflict,
  type TransactionSettings,
} from '@millrace/api/internal';
import { type Clock, crashPoint, MillraceError, unlessAborted, withDeadline } from '@millrace/common';
import { ensureProgressTopic, type KafkaClient, type KafkaOptions, type Progress } from '@millrace/kafka';
import { contentHash } from '@millrace/proto/task';
import { isPlannedBy, type ProgramIdentity, programId } from '../../program-identity.ts';
import type { ApplicationLog } from '../log/application-log.ts';
import type { PlannedBatch } from '../log/log-record.ts';
import { begunOutputs, type LogState } from '../log/log-state.ts';
import { type ClaimOptions, type ClaimTime, claimProgress } from './claim-progress.ts';
import { isForgotten, outputPrefix } from './output-prefix.ts';

/** Ids that are claimed at the same time: each takes five requests, one after the other. */
const CLAIMS_AT_ONCE = 16;

const DAY_MS = 24 * 3_600_000;

/** Kafka's defaults of transactional.id.expiration.ms and offsets.retention.minutes. */
const RETENTION_MS = 7 * DAY_MS;

/** An output without records for long is not to look like one whose progress Kafka has forgotten. */
const REFRESH_MS = DAY_MS;

export interface ExactlyOnceOutputsOptions {
  readonly application: string;
  readonly program: ProgramIdentity;
  readonly outputs: readonly ExactlyOnceOutput[];
  /** What the log knows all exactly-once outputs of the program by, those to other systems than Kafka, too. */
  readonly known: readonly string[];
  readonly log: Pick<ApplicationLog, 'epoch' | 'output' | 'settled'> & { readonly state: LogState };
  /** See OutputRun. */
  readonly isAnew?: boolean;
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly clock: Clock;
  readonly taskTimeoutMs: number;
  /** For all that is asked of Kafka at a time. */
  readonly claimTimeoutMs: number;
  /** Aborted: the running batch is over. */
  readonly cancelled: AbortSignal;
}

/**
 * The host's part in the exactly-once protocol: it claims every transactional id that a task of an earlier run may write under before this run plans
 * anything, and those of more tasks before the first of them runs; the log says how many there are.
 */
export class ExactlyOnceOutputs implements OutputTransactions {
  readonly #options: ExactlyOnceOutputsOptions;
  /** By prefix: what was found under its ids when they were claimed. */
  readonly #found = new Map<string, readonly Progress[]>();
  /** By prefix: when its first id was claimed last. */
  readonly #claimedAt = new Map<string, number>();

  constructor(options: ExactlyOnceOutputsOptions) {
    this.#options = options;
  }

  /** @throws MillraceError FENCED, OUTPUT_CONFLICT, OUTPUT_EXPIRED, CONFIG_INVALID, KAFKA_UNREACHABLE, KAFKA_AUTH; the reason of the signal. */
  async claim(signal: AbortSignal): Promise<void> {
    const { outputs, log } = this.#options;
    const { pending } = log.state;
    if (pending) this.#checkPending(pending);
    if (outputs.length === 0) return;
    const clients = new Set(outputs.map(({ client }) => this.#options.kafka(client)));
    await this.#inTime(signal, async (time) => {
      await Promise.all([...clients].map((client) => ensureProgressTopic(client)));
      await Promise.all(outputs.map((output) => this.#claimLogged(output, time)));
    });
  }

  async #claimLogged(output: ExactlyOnceOutput, time: ClaimTime): Promise<void> {
    const { isAnew = false, log } = this.#options;
    const { state } = log;
    const { pending } = state;
    const prefix = this.#prefix(output);
    const logged = state.outputs.get(prefix) ?? 0;
    const isBegun = begunOutputs(state).has(prefix);
    // One at least: what Kafka does not allow shows before the first batch; and no id of tasks is claimed before the first one.
    const check = (task: number, found: Progress | undefined): void => {
      if (pending && isBegun && task === 0 && !found)
        throw expired(pending.batchTime, `Kafka does not know how far ${prefix}/${task} got`);
    };
    const found = await this.#claim(output, 0, Math.max(1, logged), { time, check, isAnew });
    this.#found.set(prefix, found);
    if (!pending) return;
    // An earlier run may have begun it: this program, with how many tasks is not known yet; or another one, which was told to.
    const own = Array.from({ length: logged }, (_, more) => this.#planHash(pending, output, more + 1));
    checkFound(prefix, found, pending.batchTime, new Set(own));
  }

  async begin(output: ExactlyOnceOutput, tasks: number): Promise<TransactionSettings> {
    const { clock, log, isAnew = false, taskTimeoutMs, cancelled } = this.#options;
    const prefix = this.#prefix(output);
    const { pending } = log.state;
    if (!pending) throw new MillraceError('INTERNAL', 'an output is written outside of a batch');
    const planHash = this.#planHash(pending, output, tasks);
    const own = new Set([planHash]);
    // Before any of the tasks runs: where only some of their ids have another content, the others must not get this one.
    checkFound(prefix, this.#found.get(prefix) ?? [], pending.batchTime, own);
    const logged = log.state.outputs.get(prefix) ?? 0;
    if (tasks > logged || (logged > 0 && !begunOutputs(log.state).has(prefix))) {
      log.output(prefix, Math.max(tasks, logged));
      await log.settled();
    }
    if (tasks > logged) {
      const from = Math.max(1, logged);
      const found = await this.#inTime(cancelled, (time) =>
        this.#claim(output, from, tasks, { time, isAnew }),
      );
      checkFound(prefix, found, pending.batchTime, own);
    }
    const claimedAt = this.#claimedAt.get(prefix) ?? 0;
    if (clock.monotonic() - claimedAt >= REFRESH_MS)
      await this.#inTime(cancelled, (time) => this.#claim(output, 0, 1, { time }));
    return { prefix, planHash, log: log.state.id ?? '', timeoutMs: taskTimeoutMs };
  }

  async #claim(
    output: ExactlyOnceOutput,
    from: number,
    until: number,
    { time, check, isAnew = false }: Pick<ClaimOptions, 'time' | 'check' | 'isAnew'>,
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
      time,
      isAnew,
      ...(check && { check }),
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
  async #inTime<T>(signal: AbortSignal, work: (time: ClaimTime) => Promise<T>): Promise<T> {
    const { application, clock, claimTimeoutMs } = this.#options;
    signal.throwIfAborted();
    const over = new AbortController();
    const deadline = clock.monotonic() + claimTimeoutMs;
    const all = work({ deadline, signal: AbortSignal.any([signal, over.signal]) });
    const what = `taking over the exactly-once outputs of ${application}`;
    try {
      return await unlessAborted(withDeadline(all, claimTimeoutMs, what, clock), signal);
    } finally {
      over.abort(new MillraceError('CANCELLED', `${what} is given up`));
      all.catch(() => undefined);
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

/** `own`: hashes of what this program writes of the batch. @throws MillraceError OUTPUT_CONFLICT: something else is there. */
function checkFound(
  prefix: string,
  found: readonly Progress[],
  batchTime: number,
  own: ReadonlySet<string>,
): void {
  const other = found.find(
    (progress) =>
      progress.batchTime > batchTime || (progress.batchTime === batchTime && !own.has(progress.planHash)),
  );
  if (other) throw outputConflict(prefix, other, batchTime);
}

import type { ExactlyOnceOutput } from '@millrace/api/internal';
import { MillraceError, resolveConfig, silentLogger, systemClock } from '@millrace/common';
import {
  KAFKA_OPTIONS,
  type KafkaClient,
  type Progress,
  progressPlace,
  type TransactionalProducer,
  type TxnOffset,
  topicPartitionKey,
} from '@millrace/kafka';
import type { PlannedBatch } from '../../log/log-record.ts';
import { applyRecord, EMPTY_LOG, type LogState } from '../../log/log-state.ts';
import { ExactlyOnceOutputs } from '../exactly-once-outputs.ts';

export const DAY_MS = 24 * 3_600_000;
export const NOW = 20 * DAY_MS;
export const PREFIX = 'millrace/app/out';
export const OUTPUT: ExactlyOnceOutput = {
  name: 'out',
  transactionalIdPrefix: 'millrace',
  client: resolveConfig(KAFKA_OPTIONS, { brokers: 'h:1' }, 'test'),
  deliveryTimeoutMs: 1000,
};

/** Id of the application's log. */
const LOG = 'log-1';

export type Found = Omit<Progress, 'log'> & Partial<Progress>;

/** Progress by transactional id, and what was done, in order. */
export class FakeKafka {
  readonly done: string[] = [];
  readonly #offsets = new Map<string, TxnOffset>();
  /** What whoever looks on is told. */
  readonly told: string[] = [];
  /** Of the next commits. */
  readonly failures: MillraceError[] = [];
  /** Of every init. */
  refusal: MillraceError | undefined;
  topicsAsked = 0;
  topicsAnswered: Promise<unknown> | undefined;
  readonly client = this.#connected();
  /** What the clock has gone on since the start. */
  laterMs = 0;

  set(task: number, { epoch, batchTime, planHash, log = LOG }: Found): void {
    const { groupId, partition } = progressPlace(PREFIX, task);
    const metadata = JSON.stringify({ v: 1, epoch, batchTime, planHash, log });
    this.#offsets.set(`${groupId}|__millrace_progress-${partition}`, {
      topic: '__millrace_progress',
      partition,
      offset: 0,
      metadata,
    });
  }

  #connected(): KafkaClient {
    const { done, failures } = this;
    const refusal = (): MillraceError | undefined => this.refusal;
    const offsets = this.#offsets;
    const client: Partial<KafkaClient> = {
      topics: async () => {
        this.topicsAsked += 1;
        await this.topicsAnswered;
        return [
          { name: '__millrace_progress', partitions: Array.from({ length: 16 }) },
        ] as unknown as Awaited<ReturnType<KafkaClient['topics']>>;
      },
      committedOffsets: async (groupId, tps) => {
        const [tp] = tps;
        const key = topicPartitionKey(tp ?? { topic: '', partition: 0 });
        const found = offsets.get(`${groupId}|${key}`);
        return new Map(
          found ? [[key, { offset: found.offset, metadata: found.metadata ?? '', leaderEpoch: -1 }]] : [],
        );
      },
      transactionalProducer: ({ transactionalId }) => {
        let sent: readonly [string, TxnOffset][] = [];
        return {
          init: async () => {
            const refused = refusal();
            if (refused) throw refused;
            done.push(`init ${transactionalId}`);
          },
          begin: () => undefined,
          sendOffsets: async (groupId: string, all: readonly TxnOffset[]) => {
            sent = all.map((each) => [`${groupId}|${topicPartitionKey(each)}`, each]);
          },
          commit: async () => {
            const failure = failures.shift();
            if (failure) throw failure;
            for (const [key, offset] of sent) offsets.set(key, offset);
            done.push(`commit ${transactionalId} ${sent[0]?.[1].metadata}`);
          },
        } as unknown as TransactionalProducer;
      },
    };
    return client as KafkaClient;
  }
}

export interface Given {
  readonly pending?: Partial<PlannedBatch>;
  readonly logged?: number;
  readonly programHash?: string;
  readonly settings?: string;
  /** Settings of the batch; undefined: it has none. */
  readonly planned?: string | undefined;
  readonly prefix?: string;
  readonly outputs?: readonly ExactlyOnceOutput[];
  readonly known?: readonly string[];
  readonly claimTimeoutMs?: number;
  /** Default: before the planned batch. */
  readonly lastCommitted?: number | undefined;
  readonly isAnew?: true;
}

export function outputs(kafka: FakeKafka, given: Given): ExactlyOnceOutputs {
  const { pending, logged = 0, programHash = 'p1', settings = 's1', prefix = PREFIX } = given;
  const { isAnew, lastCommitted = isAnew ? undefined : (pending?.batchTime ?? NOW) - 1 } = given;
  const settingsOfBatch = 'planned' in given ? given.planned : 's1';
  const planned: PlannedBatch = {
    batchTime: NOW,
    epoch: 4,
    programHash: 'p1',
    ...(settingsOfBatch !== undefined && { settings: settingsOfBatch }),
    planHash: 'plan',
    intervals: 1,
    inputs: [],
    ...pending,
  };
  const log = {
    epoch: 5,
    state: {
      ...EMPTY_LOG,
      id: LOG,
      ...(isAnew && { isAnew }),
      lastCommitted,
      pending: pending && planned,
      outputs: new Map(logged > 0 ? [[prefix, logged]] : []),
    } as LogState,
    output: (name: string, tasks: number) => {
      kafka.done.push(`log ${name} ${tasks}`);
      log.state = applyRecord(log.state, { kind: 'output', epoch: 5, prefix: name, tasks });
    },
    settled: () => undefined,
  };
  return new ExactlyOnceOutputs({
    application: 'app',
    program: { programHash, settings },
    outputs: given.outputs ?? [OUTPUT],
    known: given.known ?? [PREFIX],
    log,
    kafka: () => kafka.client,
    clock: { ...systemClock, now: () => NOW, monotonic: () => systemClock.monotonic() + kafka.laterMs },
    logger: silentLogger,
    notice: (_, text) => void kafka.told.push(text),
    taskTimeoutMs: 1000,
    claimTimeoutMs: given.claimTimeoutMs ?? 5000,
    kafkaTimeoutMs: 5000,
    cancelled: new AbortController().signal,
  });
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
  );
}

export const claim = (all: ExactlyOnceOutputs): Promise<void> => all.claim(new AbortController().signal);

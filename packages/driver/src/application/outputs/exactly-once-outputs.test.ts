import { describe, expect, it } from '@jest/globals';
import type { ExactlyOnceOutput } from '@millrace/api/internal';
import { MillraceError, resolveConfig, systemClock } from '@millrace/common';
import {
  KAFKA_OPTIONS,
  type KafkaClient,
  type Progress,
  progressPlace,
  type TransactionalProducer,
  type TxnOffset,
  topicPartitionKey,
} from '@millrace/kafka';
import type { PlannedBatch } from '../log/log-record.ts';
import { applyRecord, EMPTY_LOG, type LogState } from '../log/log-state.ts';
import { ExactlyOnceOutputs } from './exactly-once-outputs.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = 20 * DAY_MS;
const PREFIX = 'millrace/app/out';
const OUTPUT: ExactlyOnceOutput = {
  name: 'out',
  transactionalIdPrefix: 'millrace',
  client: resolveConfig(KAFKA_OPTIONS, { brokers: 'h:1' }, 'test'),
  deliveryTimeoutMs: 1000,
};

/** Id of the application's log. */
const LOG = 'log-1';

type Found = Omit<Progress, 'log'> & Partial<Progress>;

/** Progress by transactional id, and what was done, in order. */
class FakeKafka {
  readonly done: string[] = [];
  readonly #offsets = new Map<string, TxnOffset>();
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

interface Given {
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
  readonly isAnew?: boolean;
}

function outputs(kafka: FakeKafka, given: Given) {
  const { pending, logged = 0, programHash = 'p1', settings = 's1', prefix = PREFIX } = given;
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
    isAnew: given.isAnew === true,
    kafka: () => kafka.client,
    clock: { ...systemClock, now: () => NOW, monotonic: () => systemClock.monotonic() + kafka.laterMs },
    taskTimeoutMs: 1000,
    claimTimeoutMs: given.claimTimeoutMs ?? 5000,
    cancelled: new AbortController().signal,
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
  );
}

const claim = (all: ExactlyOnceOutputs): Promise<void> => all.claim(new AbortController().signal);

describe('the exactly-once outputs of a run', () => {
  it('claim every id that was ever used: init, and the epoch over what is there', async () => {
    const kafka = new FakeKafka();
    kafka.set(1, { epoch: 4, batchTime: 7, planHash: 'h' });
    await claim(outputs(kafka, { logged: 2 }));
    expect(kafka.done.toSorted()).toEqual([
      `commit ${PREFIX}/0 {"v":1,"epoch":5,"batchTime":0,"planHash":"","log":"log-1"}`,
      `commit ${PREFIX}/1 {"v":1,"epoch":5,"batchTime":7,"planHash":"h","log":"log-1"}`,
      `init ${PREFIX}/0`,
      `init ${PREFIX}/1`,
    ]);
  });

  it('log more tasks before they claim their ids, and neither again', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const all = outputs(kafka, { pending: {}, logged: 1 });
    await claim(all);
    kafka.done.length = 0;
    const { prefix, planHash } = await all.begin(OUTPUT, 3);
    expect(prefix).toBe(PREFIX);
    expect(kafka.done[0]).toBe(`log ${PREFIX} 3`);
    expect(kafka.done.filter((what) => what.startsWith('init'))).toEqual([
      `init ${PREFIX}/1`,
      `init ${PREFIX}/2`,
    ]);
    kafka.done.length = 0;
    expect((await all.begin(OUTPUT, 3)).planHash).toBe(planHash);
    expect((await all.begin(OUTPUT, 2)).planHash).not.toBe(planHash);
    expect(kafka.done).toEqual([]);
  });

  it('touch their first id once a day, so that what they have is not forgotten while they write nothing', async () => {
    const kafka = new FakeKafka();
    const all = outputs(kafka, { pending: {}, logged: 2 });
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    await claim(all);
    kafka.done.length = 0;
    kafka.laterMs = DAY_MS;
    await all.begin(OUTPUT, 2);
    await all.begin(OUTPUT, 2);
    expect(kafka.done).toEqual([
      `init ${PREFIX}/0`,
      `commit ${PREFIX}/0 {"v":1,"epoch":5,"batchTime":7,"planHash":"h","log":"log-1"}`,
    ]);
  });

  it('look for the topic of the progress once a cluster', async () => {
    const kafka = new FakeKafka();
    await claim(outputs(kafka, { outputs: [OUTPUT, { ...OUTPUT, name: 'other' }] }));
    expect(kafka.topicsAsked).toBe(1);
    expect(kafka.done.filter((what) => what.startsWith('init'))).toHaveLength(2);
  });

  it('wait for all of it no longer than one deadline, and not at all for whoever leaves', async () => {
    const kafka = new FakeKafka();
    kafka.topicsAnswered = new Promise(() => undefined);
    expect(await codeOf(claim(outputs(kafka, { claimTimeoutMs: 50 })))).toBe('DEADLINE_EXCEEDED');
    const leave = new AbortController();
    const left = codeOf(outputs(kafka, {}).claim(leave.signal));
    leave.abort(new MillraceError('CANCELLED', 'stopped'));
    expect(await left).toBe('CANCELLED');
    expect(kafka.done).toEqual([]);
  });

  it('claim again what they do not know the end of, and what an older run has taken meanwhile', async () => {
    const kafka = new FakeKafka();
    kafka.failures.push(
      new MillraceError('TRANSACTION_UNKNOWN', 'no answer'),
      new MillraceError('PRODUCER_FENCED', 'a zombie'),
    );
    await claim(outputs(kafka, { logged: 1 }));
    expect(kafka.done.filter((what) => what.startsWith('init'))).toHaveLength(3);
    expect(kafka.done.at(-1)).toContain('commit');
  });

  it('name the taskTimeout that is longer than the brokers let transactions be open', async () => {
    const kafka = new FakeKafka();
    kafka.refusal = new MillraceError(
      'CONFIG_INVALID',
      'InitProducerId failed: INVALID_TRANSACTION_TIMEOUT',
      {
        details: { kafkaError: 'INVALID_TRANSACTION_TIMEOUT' },
      },
    );
    await expect(claim(outputs(kafka, {}))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      what: expect.stringMatching(
        /^taskTimeout is 1000 ms, .*transaction\.max\.timeout\.ms.*millrace\/app\/out/,
      ),
      remedy: expect.stringContaining('taskTimeout'),
    });
  });

  it('take up what the same program has written of a batch that another one has planned', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const changed = { pending: {}, logged: 3, programHash: 'p2' };
    const first = outputs(kafka, changed);
    await claim(first);
    // Its host dies when one of two tasks is done.
    const { planHash } = await first.begin(OUTPUT, 2);
    kafka.set(1, { epoch: 5, batchTime: NOW, planHash });
    const second = outputs(kafka, changed);
    await claim(second);
    expect((await second.begin(OUTPUT, 2)).planHash).toBe(planHash);
    expect(await codeOf(second.begin(OUTPUT, 3))).toBe('OUTPUT_CONFLICT');
    expect(await codeOf(claim(outputs(kafka, { ...changed, settings: 's2' })))).toBe('OUTPUT_CONFLICT');
  });

  it.each<[string, string, Given, Found | undefined]>([
    ['are fenced by a newer run', 'FENCED', { logged: 1 }, { epoch: 6, batchTime: 1, planHash: '' }],
    [
      'run a planned batch again',
      'done',
      { pending: {}, logged: 1 },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'refuse a planned batch of their own, of which another program was told to write a part',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1 },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'refuse one of their own, of which another program may have written to an output that this one does not have',
      'OUTPUT_CONFLICT',
      { pending: { outputs: [PREFIX, 'millrace/app/theirs'] }, logged: 1, prefix: 'millrace/app/theirs' },
      undefined,
    ],
    [
      'run one of another program that was planned without an output that had been removed before',
      'done',
      { pending: { outputs: [PREFIX] }, logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
    [
      'refuse one of another program that may have written to a table of an output that this one does not have',
      'OUTPUT_CONFLICT',
      { pending: { outputs: ['postgres:rows'] }, logged: 1, programHash: 'p2', prefix: 'postgres:rows' },
      undefined,
    ],
    [
      'run one that is older than what Kafka remembers when only a table may have it',
      'done',
      {
        pending: { batchTime: NOW - 8 * DAY_MS, outputs: ['postgres:rows'] },
        logged: 1,
        prefix: 'postgres:rows',
        known: [PREFIX, 'postgres:rows'],
      },
      undefined,
    ],
    [
      'run one of another program without an output that was planned, and never written to',
      'done',
      { pending: { outputs: ['millrace/app/old'] }, programHash: 'p2' },
      undefined,
    ],
    [
      'run one that is that old when it was planned without the outputs that were ever written to',
      'done',
      { pending: { batchTime: NOW - 8 * DAY_MS, outputs: [] }, logged: 1 },
      undefined,
    ],
    [
      'refuse one of which Kafka has forgotten all before its time',
      'OUTPUT_EXPIRED',
      { pending: {}, logged: 1 },
      undefined,
    ],
    [
      'refuse one that is older than what Kafka remembers',
      'OUTPUT_EXPIRED',
      { pending: { batchTime: NOW - 8 * DAY_MS }, logged: 1 },
      undefined,
    ],
    [
      'run one that is that old when nothing was ever written',
      'done',
      { pending: { batchTime: NOW - 8 * DAY_MS } },
      undefined,
    ],
    [
      'refuse one that another program has written in part',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, programHash: 'p2' },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'refuse one that the same code has written in part with other settings',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, settings: 's2' },
      { epoch: 4, batchTime: NOW, planHash: 'h' },
    ],
    [
      'run one of the same code that was planned by a version that knew no settings',
      'done',
      { pending: {}, planned: undefined, logged: 1, settings: 's2' },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'run one that another program has planned and not written',
      'done',
      { pending: {}, logged: 1, programHash: 'p2' },
      { epoch: 4, batchTime: NOW - 1, planHash: 'h' },
    ],
    [
      'refuse one of an output that the program does not have any more',
      'OUTPUT_CONFLICT',
      { pending: {}, logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
    [
      'go on without an output that is gone, when nothing is pending',
      'done',
      { logged: 1, programHash: 'p2', prefix: 'millrace/app/old' },
      undefined,
    ],
  ])('%s', async (_what, code, given, progress) => {
    const kafka = new FakeKafka();
    if (progress) kafka.set(0, progress);
    expect(await codeOf(claim(outputs(kafka, given)))).toBe(code);
    // Whoever tries again finds the same.
    expect(await codeOf(claim(outputs(kafka, given)))).toBe(code);
  });

  it.each([NOW, NOW + 1])(
    'refuse a batch that is there with another plan, or of which a later one is there, before any output of it runs',
    async (batchTime) => {
      const kafka = new FakeKafka();
      kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
      kafka.set(1, { epoch: 4, batchTime, planHash: 'other' });
      expect(await codeOf(claim(outputs(kafka, { pending: {}, logged: 2 })))).toBe('OUTPUT_CONFLICT');
    },
  );

  it('are fenced when an application of this name with another log has them, in whatever epoch', async () => {
    const kafka = new FakeKafka();
    const theirs = { epoch: 1, batchTime: 0, planHash: '', log: 'log-2' };
    kafka.set(0, theirs);
    expect(await codeOf(claim(outputs(kafka, {})))).toBe('FENCED');
    expect(kafka.done).toEqual([`init ${PREFIX}/0`]);
    const other = new FakeKafka();
    other.set(1, theirs);
    const all = outputs(other, { pending: {} });
    await claim(all);
    expect(await codeOf(all.begin(OUTPUT, 2))).toBe('FENCED');
  });

  it('are taken over by a log that begins anew, of which somebody has said so', async () => {
    const kafka = new FakeKafka();
    for (const task of [0, 1]) kafka.set(task, { epoch: 4, batchTime: 7, planHash: 'h', log: 'log-2' });
    const all = outputs(kafka, { isAnew: true, pending: {} });
    await claim(all);
    expect(kafka.done.at(-1)).toBe(
      `commit ${PREFIX}/0 {"v":1,"epoch":5,"batchTime":0,"planHash":"","log":"log-1"}`,
    );
    await all.begin(OUTPUT, 2);
    kafka.set(0, { epoch: 6, batchTime: 7, planHash: 'h' });
    expect(await codeOf(claim(outputs(kafka, { isAnew: true })))).toBe('FENCED');
  });

  it('log that they write to a batch that was planned without them, once', async () => {
    const kafka = new FakeKafka();
    kafka.set(0, { epoch: 4, batchTime: 7, planHash: 'h' });
    const all = outputs(kafka, { pending: { outputs: ['millrace/app/a'] }, logged: 2, programHash: 'p2' });
    await claim(all);
    kafka.done.length = 0;
    await all.begin(OUTPUT, 1);
    await all.begin(OUTPUT, 1);
    expect(kafka.done).toEqual([`log ${PREFIX} 2`]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom } from '@millrace/common';
import { type KafkaClient, type TransactionalProducer, topicPartitionKey } from '@millrace/kafka';
import * as fc from 'fast-check';
import { manualClock } from '../../executor/test/manual-clock.ts';
import type { DevBroker } from '../src/index.ts';
import { brokerWithTopic, clientOf, closeAfterEach, TP } from './fault-kit.ts';
import { committedValues, FAULTS, isStable, PROGRESS, untilDone } from './transaction-kit.ts';

closeAfterEach();

const TRANSACTION_MS = 60_000;
const IDS = ['x', 'y'] as const;
const INSTANCES = 4;

const LOST = ['AddPartitionsToTxn', 'Produce', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'] as const;

type Command =
  | { readonly kind: 'init' | 'send' | 'offsets' | 'commit' | 'abort' | 'crash'; readonly instance: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'fault'; readonly api: (typeof LOST)[number]; readonly when: 'before' | 'after' };

const anyInstance = fc.integer({ min: 0, max: INSTANCES - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('init' as const), instance: anyInstance }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), instance: anyInstance }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('offsets' as const), instance: anyInstance }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('commit' as const), instance: anyInstance }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), instance: anyInstance }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), instance: anyInstance }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'expire' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      api: fc.constantFrom(...LOST),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
);

/** What a transaction has that was told to be done. */
interface Open {
  readonly values: string[];
  offset: number | undefined;
}

type Outcome = 'committed' | 'unknown';

/** Several producers of a few ids, in one thread, beside what must be seen of them. */
class Model {
  readonly kafka: KafkaClient;
  readonly broker: DevBroker;
  readonly clock: ReturnType<typeof manualClock>;
  readonly producers = new Map<number, TransactionalProducer>();
  readonly open = new Map<number, Open>();
  /** In the order of their ends. */
  readonly ended: Array<Open & { readonly id: string; readonly outcome: Outcome }> = [];
  /** Who may still write under an id. */
  readonly owners = new Map<string, number>();
  values = 0;

  constructor(kafka: KafkaClient, broker: DevBroker, clock: ReturnType<typeof manualClock>) {
    this.kafka = kafka;
    this.broker = broker;
    this.clock = clock;
  }

  async run(step: Command): Promise<void> {
    if (step.kind === 'expire') {
      this.clock.advance(TRANSACTION_MS);
      for (const [instance, open] of this.open) {
        const id = idOf(instance);
        // An empty transaction is no transaction to the broker; one of a producer that was fenced has ended.
        if (this.owners.get(id) === instance && (open.values.length > 0 || open.offset !== undefined))
          this.owners.delete(id);
      }
    } else if (step.kind === 'fault') {
      this.broker.faults.inject({ api: step.api, action: { kind: 'close', when: step.when } });
    } else if (step.kind === 'crash') {
      this.producers.delete(step.instance);
      this.open.delete(step.instance);
    } else await this.act(step.kind, step.instance);
  }

  private async act(kind: 'init' | 'send' | 'offsets' | 'commit' | 'abort', instance: number): Promise<void> {
    const id = idOf(instance);
    const producer = this.producers.get(instance);
    const known = this.open.get(instance);
    if (kind === 'init' || producer === undefined) {
      const fresh =
        producer === undefined || producer.state === 'FENCED'
          ? this.kafka.transactionalProducer({ transactionalId: id, transactionTimeoutMs: TRANSACTION_MS })
          : producer;
      await fresh.init();
      this.producers.set(instance, fresh);
      this.open.delete(instance);
      this.owners.set(id, instance);
      return;
    }
    if (producer.state === 'READY' && (kind === 'send' || kind === 'offsets')) producer.begin();
    const open = known ?? { values: [], offset: undefined };
    this.open.set(instance, open);
    const before = producer.state;
    try {
      await this.send(kind, producer, open);
    } catch (error) {
      this.failed(error, { kind, instance, open, before });
      return;
    }
    if (kind === 'send' || kind === 'offsets') {
      expect(this.owners.get(id)).toBe(instance);
      return;
    }
    const isEmpty = open.values.length === 0 && open.offset === undefined;
    if (!isEmpty) expect(this.owners.get(id)).toBe(instance);
    if (kind === 'commit') this.ended.push({ ...open, id, outcome: 'committed' });
    this.open.delete(instance);
  }

  private async send(
    kind: 'send' | 'offsets' | 'commit' | 'abort',
    producer: TransactionalProducer,
    open: Open,
  ): Promise<void> {
    const next = this.values++;
    if (kind === 'send') {
      await producer.send(TP.topic, [{ value: `v${next}`, partition: TP.partition }]);
      open.values.push(`v${next}`);
    } else if (kind === 'offsets') {
      await producer.sendOffsets(producer.transactionalId, [{ ...PROGRESS, offset: next }]);
      open.offset = next;
    } else await producer[kind]();
  }

  private failed(
    error: unknown,
    {
      kind,
      instance,
      open,
      before,
    }: { readonly kind: string; readonly instance: number; readonly open: Open; readonly before: string },
  ): void {
    if (!MillraceError.is(error)) throw error;
    const isOwner = this.owners.get(idOf(instance)) === instance;
    if (before === 'READY' || before === 'UNINITIALIZED') {
      // An end without a transaction.
      expect(error.code).toBe('BAD_REQUEST');
      this.open.delete(instance);
      return;
    }
    expect(['PRODUCER_FENCED', 'TRANSACTION_UNKNOWN']).toContain(error.code);
    if (error.code === 'PRODUCER_FENCED') expect(isOwner).toBe(false);
    if (kind === 'commit' && before === 'IN_TRANSACTION' && error.code === 'TRANSACTION_UNKNOWN') {
      this.ended.push({ ...open, id: idOf(instance), outcome: 'unknown' });
    }
    this.open.delete(instance);
  }
}

function idOf(instance: number): string {
  return IDS[instance % IDS.length] as string;
}

async function check(model: Model): Promise<void> {
  const { kafka, broker } = model;
  broker.faults.clear();
  for (const transactionalId of IDS) {
    await kafka.transactionalProducer({ transactionalId, transactionTimeoutMs: TRANSACTION_MS }).init();
  }
  expect(isStable(broker)).toBe(true);
  const seen = (await committedValues(kafka)) as readonly string[];
  expect(new Set(seen).size).toBe(seen.length);
  // All of a transaction or nothing of it; of those that were told to be committed, all.
  const settled = model.ended.filter(({ outcome, values, offset }) => {
    const there = values.filter((value) => seen.includes(value)).length;
    if (outcome === 'committed') expect(there).toBe(values.length);
    else expect([0, values.length]).toContain(there);
    return outcome === 'committed' || there > 0 || (values.length === 0 && offset !== undefined);
  });
  expect(seen.length).toBe(settled.reduce((sum, { values }) => sum + values.length, 0));
  for (const { values } of settled) expect(seen.filter((value) => values.includes(value))).toEqual(values);
  for (const id of IDS) {
    const committed = await kafka.committedOffsets(id, [PROGRESS], { requireStable: true });
    const offset = committed.get(topicPartitionKey(PROGRESS))?.offset;
    const told = settled.filter((one) => one.id === id && one.offset !== undefined);
    // The last that is certain, or one after it that is not.
    const certain = told.findLastIndex((one) => one.outcome === 'committed' || one.values.length > 0);
    const possible = told.slice(Math.max(0, certain)).map((one) => one.offset);
    expect([...possible, ...(certain === -1 ? [undefined] : [])]).toContain(offset);
  }
}

describe('transactional producers', () => {
  it('agree with the model over any interleaving of inits, sends, ends, crashes, expiry and lost answers', async () => {
    const clock = manualClock();
    const property = fc.asyncProperty(
      fc.array(command, { minLength: 5, maxLength: 60 }),
      async (commands) => {
        const broker = await brokerWithTopic({ clock });
        broker.createTopic(PROGRESS.topic);
        const { kafka } = clientOf(broker);
        try {
          const model = new Model(kafka, broker, clock);
          for (const step of commands) await model.run(step);
          await check(model);
        } finally {
          await kafka.close();
          await broker.close();
        }
      },
    );
    await fc.assert(property, { numRuns: 40 });
  }, 120_000);

  it.each([1, 2, 3])(
    'of two hosts that run the same batches at once write each batch once, with seed %d of faults',
    async (seed) => {
      const random = seededRandom(seed);
      const broker = await brokerWithTopic({ nodes: 2 });
      broker.createTopic(PROGRESS.topic);
      const hosts = [0, 1].map(() => clientOf(broker, { requestTimeoutMs: 300 }).kafka);
      const apis = ['InitProducerId', 'OffsetFetch', ...LOST] as const;
      for (const api of apis) {
        for (const [, action] of FAULTS) {
          broker.faults.inject({ api, action, probability: 0.01, random, times: Infinity });
        }
      }
      const ids = ['p', 'q', 'r'];
      const batches = 6;
      const valuesOf = (id: string, batch: number) => [`${id}${batch}a`, `${id}${batch}b`];
      const runs = hosts.flatMap((kafka) =>
        ids.map(async (id) => {
          for (let batch = 0; batch < batches; batch++) {
            await untilDone(kafka, id, batch, valuesOf(id, batch), 200);
          }
        }),
      );
      await Promise.all(runs);
      broker.faults.clear();
      const [kafka] = hosts as [KafkaClient];
      for (const id of ids) await untilDone(kafka, id, batches, valuesOf(id, batches));
      const seen = await committedValues(kafka);
      for (const id of ids) {
        const expected = Array.from({ length: batches + 1 }, (_, batch) => valuesOf(id, batch)).flat();
        expect(seen.filter((value) => value?.startsWith(id))).toEqual(expected);
      }
      expect(isStable(broker)).toBe(true);
    },
    60_000,
  );
});

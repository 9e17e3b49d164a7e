// The only broker is shut down while transactions are committed: its coordinator counts some of them as ended and tells no partition of it.
import { expect, it } from '@jest/globals';
import {
  type ProgressPlace,
  progressOffset,
  progressPlace,
  readProgress,
  type TransactionalProducer,
} from '@millrace/kafka';
import { ensureProgressTopic } from '../../packages/kafka/src/transaction/progress-store.ts';
import { recordsOf } from '../support/topic-records.ts';
import { useJavaKafka } from '../support/use-java-kafka.ts';

const TIMEOUT_MS = 240_000;
const IDS = 48;
const PARTITIONS = 4;
/** Between two commits: together they last longer than the shutdown does, of which some 30 ms count. */
const EVERY_MS = 4;
const ROUNDS_MAX = 5;
const BATCH = { epoch: 1, planHash: 'plan', log: 'log' };
const FIRST = 1_000;
const SECOND = 2_000;

const { kafka, suite } = await useJavaKafka(1, { heapMb: 384 });

function producerOf({ transactionalId }: ProgressPlace): TransactionalProducer {
  return kafka.client.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
}

/** A transaction that is not ended: a record that says so, and the progress that tells of it. */
async function write(
  producer: TransactionalProducer,
  place: ProgressPlace,
  topic: string,
  batchTime: number,
) {
  producer.begin();
  const value = `${batchTime} ${place.transactionalId}`;
  await producer.send(topic, [{ value, partition: place.partition % PARTITIONS }]);
  await producer.sendOffsets(place.groupId, [progressOffset(place, { ...BATCH, batchTime })]);
}

interface Round {
  readonly topic: string;
  readonly places: readonly ProgressPlace[];
  /** Ids whose end was acknowledged, with it. */
  readonly ended: ReadonlyMap<string, 'commit' | 'abort'>;
}

/** The broker is shut down, and started again, while transactions end: every third by an abort. */
async function shutDownMeanwhile(): Promise<Round> {
  const topic = await kafka.topic('undecided', PARTITIONS);
  const places = Array.from({ length: IDS }, (_, task) => progressPlace(`millrace/${topic}/out`, task));
  const ends = new Map<string, () => Promise<'commit' | 'abort'>>();
  for (const [i, place] of places.entries()) {
    const producer = producerOf(place);
    await producer.init();
    await write(producer, place, topic, FIRST);
    const end = i % 3 === 2 ? 'abort' : 'commit';
    ends.set(place.transactionalId, async () => producer[end]().then(() => end));
  }
  const [broker] = kafka.nodes;
  const down = broker?.shutDown();
  const ended = new Map<string, 'commit' | 'abort'>();
  const ending: Promise<unknown>[] = [];
  for (const [id, end] of ends) {
    ending.push(
      end().then(
        (how) => ended.set(id, how),
        () => undefined,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await down;
  await broker?.start();
  await Promise.all(ending);
  return { topic, places, ended };
}

/** Reads the progress of each id, and writes another transaction. Returns what was there, and how many were undecided. */
async function takenUp({ topic, places }: Round) {
  let undecided = 0;
  const there = new Set<string>();
  for (const place of places) {
    const producer = producerOf(place);
    await producer.init();
    const counting = {
      endAgain: async () => {
        undecided += 1;
        return producer.endAgain();
      },
    };
    const progress = await readProgress(kafka.client, counting, place, 20_000);
    if (progress?.batchTime === FIRST) there.add(place.transactionalId);
    await write(producer, place, topic, SECOND);
    await producer.commit();
  }
  return { undecided, there };
}

suite('transactions that Kafka has ended', () => {
  it(
    'are decided as they were ended, also where their markers were lost in a shutdown',
    async () => {
      await ensureProgressTopic(kafka.client);
      let undecidedInAll = 0;
      for (let rounds = 1; undecidedInAll === 0; rounds++) {
        // Some of them end in the moment that counts, sooner or later.
        expect(rounds).toBeLessThanOrEqual(ROUNDS_MAX);
        const round = await shutDownMeanwhile();
        const { undecided, there } = await takenUp(round);
        undecidedInAll += undecided;
        const { topic, places, ended } = round;
        const committed = [...ended].filter(([, how]) => how === 'commit').map(([id]) => id);
        process.stderr.write(
          `of ${IDS} ends ${ended.size} were acknowledged, ${committed.length} of them commits; undecided after the start: ${undecided}; committed: ${there.size}\n`,
        );
        // What was acknowledged is as it was, and what is there is what the progress tells of.
        const isThere = [...ended.keys()].filter((id) => there.has(id));
        expect(isThere.toSorted()).toEqual(committed.toSorted());
        const visible = (await recordsOf(kafka.client, topic, PARTITIONS)).map(({ value }) => value ?? '');
        const wanted = [
          ...[...there].map((id) => `${FIRST} ${id}`),
          ...places.map(({ transactionalId }) => `${SECOND} ${transactionalId}`),
        ];
        expect(visible.toSorted()).toEqual(wanted.toSorted());
      }
    },
    TIMEOUT_MS,
  );
});

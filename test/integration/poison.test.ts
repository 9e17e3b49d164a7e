// One record of 100,000 does not decode, or throws in a lambda: what each policy makes of it.
import { describe, expect, it } from '@jest/globals';
import {
  ConsumerStrategies,
  type DirectStream,
  defineJob,
  json,
  LocationStrategies,
  type OnDecodeError,
} from '@millrace/api';
import { type MillraceError, randomInt, seededRandom } from '@millrace/common';
import { embed } from '@millrace/local';
import { figure } from '../support/figure.ts';
import { seedOf } from '../support/seed.ts';
import { recordsOf } from '../support/topic-records.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const EVERY = 100_000;
const PLANTED = LONG ? 20 : 3;
const RECORDS = PLANTED * EVERY;
const PARTITIONS = 2;
const CHUNK = 5_000;
const TOPIC = 'poison';
const DEAD = 'poison-dead';
const TIMEOUT_MS = 240_000;

const kafka = useDevBroker();
const seed = seedOf('planted records');
/** Its place in the order of production, one in each EVERY. */
const random = seededRandom(seed);
const planted = Array.from({ length: PLANTED }, (_, i) => i * EVERY + randomInt(random, EVERY));
/** "partition/offset" of each. */
const places = planted.map((at) => `${at % PARTITIONS}/${Math.floor(at / PARTITIONS)}`);

async function produce(): Promise<void> {
  for (const topic of [TOPIC, DEAD]) kafka.broker.createTopic(topic, { partitions: PARTITIONS });
  const broken = new Set(planted);
  const producer = kafka.client.producer();
  for (let from = 0; from < RECORDS; from += CHUNK)
    await producer.send(
      TOPIC,
      Array.from({ length: CHUNK }, (_, i) => ({
        partition: (from + i) % PARTITIONS,
        value: broken.has(from + i) ? `{"at":${from + i}` : String(from + i),
      })),
    );
  await producer.close();
}

/** Reads all of the topic in one run; resolves with what was counted, and with what it failed with. */
async function read(
  onDecodeError: OnDecodeError,
  of: (numbers: DirectStream<string | null, number>) => void = () => undefined,
) {
  let seen = 0;
  const counts: Record<string, unknown> = {};
  const perBatch = 50_000;
  const config = {
    name: TOPIC,
    batchInterval: '20ms',
    batches: RECORDS / perBatch,
    taskAttemptsMax: 1,
  } as const;
  const job = defineJob(config, (ssc) => {
    const numbers = ssc.kafka.createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe<string | null, number>(TOPIC, {
        brokers: kafka.broker.brokers,
        groupId: TOPIC,
        startFrom: 'earliest',
        value: json<number>(),
        maxRecordsPerBatch: perBatch,
        onDecodeError,
      }),
    );
    of(numbers);
    numbers
      .map(({ value }) => value)
      .foreachRDD(async (rdd) => {
        seen += await rdd.count();
      });
  });
  const application = await embed(job, {
    onEvent: (event) => {
      if (event.kind === 'batch-completed')
        for (const { name, value } of event.batch.accumulators) counts[name] = value;
    },
  });
  const error = await application
    .start()
    .then(() => application.awaitTermination({ timeoutMs: TIMEOUT_MS }))
    .then(
      () => undefined,
      (thrown: unknown) => thrown as MillraceError,
    );
  return { seen, counts, error };
}

/** "partition/offset" of the records that dead letters came from. */
async function origins(): Promise<readonly string[]> {
  const letters = await recordsOf(kafka.client, DEAD, PARTITIONS);
  return letters.map(({ headers }) => {
    const told = new Map(headers);
    return `${told.get('millrace.partition')}/${told.get('millrace.offset')}`;
  });
}

/** As the first batch that has one must say it. */
const isNamed = ({ details }: MillraceError): boolean =>
  places.includes(`${details['partition']}/${details['offset']}`);

describe(`one record of ${EVERY} that cannot be read`, () => {
  it(
    'is a dead letter, or skipped, and counted exactly; or ends the job, as one that throws does, with where it is',
    async () => {
      await produce();
      const dead = await read({ deadLetterTopic: DEAD });
      expect([dead.error, dead.seen]).toEqual([undefined, RECORDS - PLANTED]);
      expect(Object.values(dead.counts)).toEqual([PLANTED]);
      const letters = await origins();
      expect(letters.toSorted()).toEqual(places.toSorted());

      const skipped = await read('skip');
      expect([skipped.error, skipped.seen]).toEqual([undefined, RECORDS - PLANTED]);
      expect(Object.values(skipped.counts)).toEqual([PLANTED]);

      const { error: failed } = await read('fail');
      expect(failed).toMatchObject({ code: 'VALUE_DECODE', details: { topic: TOPIC } });
      expect(isNamed(failed as MillraceError)).toBe(true);

      const sound = RECORDS / 2 + (planted.includes(RECORDS / 2) ? 1 : 0);
      const { error: thrown } = await read('skip', (numbers) =>
        numbers
          .map(({ value }) => {
            if (value === sound) throw new Error('no such number');
            return value;
          })
          .foreachRDD(async (rdd) => void (await rdd.count())),
      );
      expect(thrown).toMatchObject({
        code: 'USER_CODE',
        details: { topic: TOPIC, partition: sound % PARTITIONS, offset: Math.floor(sound / PARTITIONS) },
      });
      figure(
        25,
        `${PLANTED} planted in ${RECORDS} records (seed ${seed}): ${letters.length} dead letters, ${String(Object.values(skipped.counts)[0])} skipped and counted, 0 others missing; to fail names ${failed?.details['topic']}-${failed?.details['partition']} at ${failed?.details['offset']}, a lambda that throws ${TOPIC}-${thrown?.details['partition']} at ${thrown?.details['offset']}`,
      );
    },
    TIMEOUT_MS,
  );
});

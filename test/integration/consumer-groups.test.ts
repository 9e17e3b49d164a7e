import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import { embed } from '@millrace/local';
import { javaConsumerGroup } from '../brokers/java-console.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;

const kafka = useKafkaUnderTest();

suite(`Java’s kafka-consumer-groups${jars.ok ? '' : ` (skipped: ${jars.reason})`}`, () => {
  it(
    'shows where a running application with mirrored offsets stands, and its lag',
    async () => {
      const topic = await kafka.topic('groups', 2);
      const producer = new LedgerProducer(kafka.client, topic, 2);
      await producer.append(50);
      let records = 0;
      const held = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const job = defineJob({ name: topic, batchInterval: '50ms' }, (ssc) => {
        ssc.kafka
          .createDirectStream(
            LocationStrategies.PreferConsistent,
            ConsumerStrategies.Subscribe(topic, {
              brokers: kafka.brokers,
              groupId: topic,
              startFrom: 'earliest',
              mirrorOffsets: true,
            }),
          )
          .foreachRDD(async (rdd) => {
            records += await rdd.count();
            if (records <= 100) return;
            held.resolve();
            await release.promise;
          });
      });
      const application = await embed(job);
      await application.start();
      await until('the first records', () => records === 100);
      const tps = [0, 1].map((partition) => ({ topic, partition }));
      await until('the mirror', async () => {
        const offsets = await kafka.client.committedOffsets(topic, tps);
        return [...offsets.values()].map(({ offset }) => offset).join() === '50,50';
      });
      // A batch that is not done: the group stays behind it.
      await producer.append(20);
      await held.promise;
      const row = { topic, logEndOffset: 70, currentOffset: 50, lag: 20 };
      expect(
        (await javaConsumerGroup(kafka.brokers, topic)).toSorted((a, b) => a.partition - b.partition),
      ).toEqual([
        { ...row, partition: 0 },
        { ...row, partition: 1 },
      ]);
      release.resolve();
      await application.stop();
    },
    TIMEOUT_MS,
  );
});

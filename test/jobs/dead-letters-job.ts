// Reads its stream in two outputs and a window, slowly: one that is killed has written some of its dead letters, others not.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('DEAD_NAME'), batchInterval: '200ms' }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const records = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('DEAD_TOPIC'), {
      brokers,
      groupId: 'dead',
      startFrom: 'earliest',
      value: json<{ p: number; s: number }>(),
      onDecodeError: { deadLetterTopic: env('DEAD_LETTERS') },
      maxRecordsPerBatch: 400,
      fetchBytesMax: 2000,
      produceBatchRecordsMax: 5,
    }),
  );
  const values = records.map((record) => record.value);
  values
    .mapPartitions(async function* (rows) {
      let n = 0;
      for await (const row of rows) {
        yield row;
        if (++n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 40));
      }
    })
    .toKafka(env('DEAD_OUT'), { brokers, value: (row) => row });
  values.window('600ms', '200ms').foreachRDD(async (rdd) => void (await rdd.count()));
});

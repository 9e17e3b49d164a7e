// Words of the lines of one topic, counted every second, to another topic: the word is the key, its count the value.
//   millrace submit examples/word-count/job.ts --env KAFKA_BROKERS=localhost:9092
import { ConsumerStrategies, defineJob, env, LocationStrategies, seconds } from '@millrace/api';
import { wordsOf } from './words.ts';

export default defineJob({ name: 'word-count', batchInterval: seconds(1) }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const lines = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe([env('LINES_TOPIC', 'lines')], {
      brokers,
      groupId: 'word-count',
      startFrom: 'earliest',
    }),
  );

  lines
    .flatMap((record) => wordsOf(record.value))
    .map((word): [string, number] => [word, 1])
    .reduceByKey((a, b) => a + b, 2)
    // At least once: a batch that runs again writes its counts again. Its time tells readers which ones are the same.
    .transform((counts, time) => counts.map(([word, count]) => ({ word, count, time })))
    .toKafka(env('COUNTS_TOPIC', 'word-counts'), {
      brokers,
      key: ({ word }) => word,
      value: ({ count }) => count,
      headers: ({ time }) => ({ batch: String(time) }),
    });
});

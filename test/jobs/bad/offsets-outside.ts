import { defineJob, env, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const topic = env('BAD_TOPIC');

export default defineJob({ name: 'bad-offsets-outside', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      badTopic({ offsets: { [`${topic}-0`]: 1000, [`${topic}-1`]: 2000, [`${topic}-7`]: 0 } }),
    )
    .print();
});

import { defineJob, env, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const topic = env('BAD_TOPIC');

export default defineJob({ name: 'bad-unsafe-offset', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      badTopic({ offsets: { [`${topic}-0`]: 2 ** 53 } }),
    )
    .print();
});

import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export default defineJob({ name: 'bad-async-map', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .map(async ({ value }) => value)
    .print();
});

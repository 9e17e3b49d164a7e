import { defineJob, json, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export default defineJob({ name: 'bad-not-json', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic({ value: json<{ n: number }>() }))
    .map(({ value }) => value.n)
    .print();
});

import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export const job = defineJob({ name: 'bad-no-default-export', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka.createDirectStream(LocationStrategies.PreferConsistent, badTopic()).print();
});

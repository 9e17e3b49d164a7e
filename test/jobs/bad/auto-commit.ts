import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export default defineJob({ name: 'bad-auto-commit', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic({ 'enable.auto.commit': true }))
    .print();
});

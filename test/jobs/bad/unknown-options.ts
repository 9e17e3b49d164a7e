// Names and types that TypeScript would have refused, had it been asked.
import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const config = {
  name: 'bad-unknown-options',
  batchInterval: 'quickly' as '1s',
  taskAttempsMax: 3,
  taskTimeout: '5m' as const,
};

export default defineJob(config, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      badTopic({ startForm: 'earliest', maxRecordsPerBatch: 'many' as 'unlimited' }),
    )
    .print();
});

// Names and types that TypeScript would have refused, had it been asked.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

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
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startForm: 'earliest',
        maxRecordsPerBatch: 'many' as 'unlimited',
      }),
    )
    .print();
});

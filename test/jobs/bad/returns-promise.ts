// Not async by its looks: the loop that calls it finds out.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const later = (text: string): Promise<string> => Promise.resolve(text);

export default defineJob({ name: 'bad-returns-promise', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .map(({ value }) => later(value))
    .print();
});

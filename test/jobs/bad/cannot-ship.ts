// Two lambdas that cannot leave this process, each for a reason of its own.
import { createServer } from 'node:net';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const server = createServer();

export default defineJob({ name: 'bad-cannot-ship', batchInterval: '100ms' }, (ssc) => {
  let seen = 0;
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .filter(({ value }) => server.listening || value !== '')
    .map(({ value }) => {
      seen += 1;
      return value;
    })
    .foreachRDD(() => console.log(seen));
});

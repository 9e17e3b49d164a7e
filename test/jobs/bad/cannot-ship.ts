// Two lambdas that cannot leave this process, each for a reason of its own.
import { createServer } from 'node:net';
import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const server = createServer();

export default defineJob({ name: 'bad-cannot-ship', batchInterval: '100ms' }, (ssc) => {
  let seen = 0;
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .filter(({ value }) => server.listening || value !== '')
    .map(({ value }) => {
      seen += 1;
      return value;
    })
    .foreachRDD(() => console.log(seen));
});

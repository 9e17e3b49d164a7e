// A stream, and nothing that would ever run.
import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export default defineJob({ name: 'bad-no-output', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .map(({ value }) => value.length);
});

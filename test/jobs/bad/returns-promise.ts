// Not async by its looks: the loop that calls it finds out.
import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const later = (text: string): Promise<string> => Promise.resolve(text);

export default defineJob({ name: 'bad-returns-promise', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .map(({ value }) => later(value))
    .print();
});

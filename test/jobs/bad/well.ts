// Nothing is wrong with it: it holds its name until it is stopped.
import { defineJob, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

export default defineJob({ name: 'well', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka.createDirectStream(LocationStrategies.PreferConsistent, badTopic()).foreachRDD(async (rdd) => {
    await rdd.count();
  });
});

// Which pages are slow: the job of README.md.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies, seconds } from '@millrace/api';

interface View {
  page: string;
  latencyMs: number;
}

export default defineJob({ name: 'slow-pages', batchInterval: seconds(1) }, (ssc) => {
  const slowMs = 200; // travels to the executors by value
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('page-views', {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'slow-pages',
        startFrom: 'earliest', // required on a first run: nobody gets `latest` by accident
        value: json<View>(),
      }),
    )
    .filter((record) => record.value.latencyMs > slowMs) // runs on executors
    .map((record) => record.value.page)
    .foreachRDD(async (rdd, time) => {
      // runs in the application host
      console.log(new Date(time).toISOString(), await rdd.countByValue());
    });
});

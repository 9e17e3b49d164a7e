// The most viewed pages of the last minute, every five seconds.
//   millrace submit examples/top-pages/job.ts --env KAFKA_BROKERS=localhost:9092
import { ConsumerStrategies, defineJob, env, json, LocationStrategies, seconds } from '@millrace/api';
import { byViews, topPages } from './top-pages.ts';

interface PageView {
  readonly page: string;
  readonly status: number;
}

export default defineJob({ name: 'top-pages', batchInterval: seconds(1) }, (ssc) => {
  const views = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe([env('PAGE_VIEWS_TOPIC', 'page-views')], {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'top-pages',
      startFrom: 'earliest',
      value: json<PageView>(),
    }),
  );

  views
    .filter((record) => record.value.status !== 404)
    .map((record) => [record.value.page, 1] as const)
    // Each batch is reduced once; a window adds up the sixty batches that it has.
    .reduceByKeyAndWindow((a, b) => a + b, seconds(60), seconds(5), 2)
    .foreachRDD(async (pages, time) => {
      console.log(topPages(await pages.top(5, byViews), time));
    });
});

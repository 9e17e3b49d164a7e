// Page views, counted as they happen: every second, which pages and users were busiest.
//   millrace submit examples/page-views/job.ts --env KAFKA_BROKERS=localhost:9092
import { ConsumerStrategies, defineJob, env, json, LocationStrategies, seconds } from '@millrace/api';
import { countView, mergeCounts, noCounts } from './page-counts.ts';
import type { PageView } from './page-view.ts';
import { topTable } from './top-table.ts';

export default defineJob({ name: 'page-views', batchInterval: seconds(1) }, (ssc) => {
  const views = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe([env('PAGE_VIEWS_TOPIC', 'page-views')], {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'page-views',
      startFrom: 'earliest',
      value: json<PageView>(),
    }),
  );

  views
    .map((record) => record.value)
    .filter((view) => view.status !== 404)
    .foreachRDD(async (rdd, time) => {
      const counts = await rdd.aggregate(noCounts(), countView, mergeCounts);
      console.log(topTable(counts, time));
    });
});

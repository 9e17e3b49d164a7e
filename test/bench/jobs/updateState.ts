// Running counts of 100,000 keys of records, over 4 partitions: what the Spark benchmark does.
import { defineJob, env } from '@millrace/api';
import { onesByKey } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  onesByKey(ssc)
    .updateStateByKey(
      (values: number[], sum: number | undefined) => {
        let total = sum ?? 0;
        for (const value of values) total += value;
        return total;
      },
      { name: 'counts', partitions: 4 },
    )
    .foreachRDD(async (rdd) => {
      const counted = await rdd.map(([, count]) => count).fold(0, (a, b) => a + b);
      console.log(JSON.stringify({ counted }));
    });
});

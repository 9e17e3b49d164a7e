// JSON.parse of every value, then running sums of 100,000 users over 4 partitions.
import { defineJob, env } from '@millrace/api';
import { msByUser } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  msByUser(ssc)
    .updateStateByKey(
      (values: number[], sum: number | undefined) => {
        let total = sum ?? 0;
        for (const value of values) total += value;
        return total;
      },
      { name: 'sums', partitions: 4 },
    )
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});

// JSON.parse of every value, then running sums of 100,000 users over 4 partitions, row by row.
import { defineJob, env, type State, StateSpec } from '@millrace/api';
import { msByUser } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  msByUser(ssc)
    .mapWithState(
      StateSpec.function((_user: string, ms: number | undefined, state: State<number>) => {
        const sum = (state.getOption() ?? 0) + (ms ?? 0);
        state.update(sum);
        return sum;
      })
        .named('sums')
        .numPartitions(4),
    )
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});

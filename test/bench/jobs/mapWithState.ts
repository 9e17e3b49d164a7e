// Running counts of 100,000 keys of records, over 4 partitions, row by row: what the Spark benchmark does.
import { defineJob, env, type State, StateSpec } from '@millrace/api';
import { onesByKey } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  onesByKey(ssc)
    .mapWithState(
      StateSpec.function((_key: string, one: number | undefined, state: State<number>) => {
        const count = (state.getOption() ?? 0) + (one ?? 0);
        state.update(count);
        return count;
      })
        .named('counts')
        .numPartitions(4),
    )
    .stateSnapshots()
    .foreachRDD(async (rdd) => {
      const counted = await rdd.map(([, count]) => count).fold(0, (a, b) => a + b);
      console.log(JSON.stringify({ counted }));
    });
});

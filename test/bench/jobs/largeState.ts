// A million keys; then 1,000 records a batch, of as many of them.
import { defineJob, env, type State, StateSpec } from '@millrace/api';
import { records } from '../bench-streams.ts';

const KEYS = Number(env('BENCH_KEYS', '1000000'));

export default defineJob(
  { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')) },
  (ssc) => {
    const touched = records(ssc, { startFrom: 'latest', maxRecordsPerBatch: 1000 }).map(
      (record): [number, number] => [(record.offset * 7919 + record.partition * 250_007) % KEYS, 1],
    );
    const spec = StateSpec.function((_key: number, n: number | undefined, state: State<number>) => {
      state.update((state.getOption() ?? 0) + (n ?? 0));
      return undefined;
    })
      .named('counts')
      .numPartitions(4)
      .initialState(() =>
        ssc.parallelize([0, 1, 2, 3], 4).flatMap((part) => {
          const rows: [number, number][] = [];
          for (let key = part; key < KEYS; key += 4) rows.push([key, 0]);
          return rows;
        }),
      );
    touched.mapWithState(spec).foreachRDD(async (rdd) => void (await rdd.count()));
  },
);

// groupByKey over more rows than any process may hold: made on executors, grouped, counted.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const MAP_TASKS = 16;

export default defineJob({ name: env('BIG_NAME'), batchInterval: '1s', taskTimeout: '1h' }, (ssc) => {
  const rows = Number(env('BIG_ROWS'));
  const keys = Number(env('BIG_KEYS'));
  const valueBytes = Number(env('BIG_VALUE_BYTES'));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'larger-than-memory',
        startFrom: 'earliest',
      }),
    )
    .foreachRDD(async () => {
      const pairs = ssc
        .parallelize(
          Array.from({ length: MAP_TASKS }, (_, task) => task),
          MAP_TASKS,
        )
        .mapPartitions(async function* (tasks) {
          for await (const task of tasks) {
            for (let at = task; at < rows; at += MAP_TASKS) {
              yield [`key-${(at * 7919) % keys}`, `${at} `.padEnd(valueBytes, `${at % 10}`)] as const;
            }
          }
        });
      const groups = pairs.groupByKey(Number(env('BIG_PARTITIONS')));
      const totals = await groups
        .map(([, values]) => ({
          groups: 1,
          rows: values.length,
          sum: values.reduce((sum, value) => sum + Number.parseInt(value, 10), 0),
        }))
        .reduce((a, b) => ({ groups: a.groups + b.groups, rows: a.rows + b.rows, sum: a.sum + b.sum }));
      console.log(JSON.stringify(totals));
    });
});

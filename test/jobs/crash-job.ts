// What is killed at crash points: numbered records, and what must become of them whatever dies. CRASH_KIND says which output there is.
import { appendFileSync } from 'node:fs';
import {
  ConsumerStrategies,
  type DStream,
  defineJob,
  env,
  json,
  LocationStrategies,
  TaskContext,
} from '@millrace/api';

interface Row {
  readonly p: number;
  readonly s: number;
}

interface Total {
  readonly count: number;
  readonly last: number;
  readonly isOrdered: boolean;
}

const KINDS: Readonly<Record<string, (rows: DStream<Row>) => void>> = {
  'at-least-once': (rows) =>
    rows.toKafka(env('CRASH_OUT'), {
      brokers: env('KAFKA_BROKERS'),
      partition: (row) => row.p % 3,
      value: (row) => JSON.stringify({ ...row, t: TaskContext.get().batchTime }),
    }),
  'exactly-once': (rows) =>
    rows.toKafka(env('CRASH_OUT'), {
      brokers: env('KAFKA_BROKERS'),
      guarantee: 'exactly-once',
      partition: (row) => row.p % 3,
      value: (row) => JSON.stringify(row),
    }),
  'exactly-once-shuffled': (rows) =>
    rows
      .map((row): [string, Row] => [`${row.p}/${row.s}`, row])
      .reduceByKey((_, row) => ({ p: row.p, s: -1 }), 4)
      .toKafka(env('CRASH_OUT'), {
        brokers: env('KAFKA_BROKERS'),
        guarantee: 'exactly-once',
        name: 'shuffled',
        value: ([, row]) => JSON.stringify(row),
      }),
  files: (rows) => rows.saveAsJsonFiles(env('CRASH_OUT')),
  // Totals that know whether their numbers came once, in order; and a window over what came lately.
  state: (rows) => {
    const file = env('CRASH_OUT');
    rows
      .map(({ p, s }): [string, number] => [`${p}/${s % 4}`, s])
      .updateStateByKey(
        (numbers: number[], total: Total | undefined) => {
          let { count, last, isOrdered } = total ?? { count: 0, last: Number.NaN, isOrdered: true };
          for (const number of numbers) {
            isOrdered &&= number === (count === 0 ? number % 4 : last + 4);
            count += 1;
            last = number;
          }
          return { count, last, isOrdered };
        },
        { name: 'totals', partitions: 3 },
      )
      .foreachRDD(async (rdd, time) => {
        const totals = await rdd.collect();
        appendFileSync(file, `${JSON.stringify({ time, output: 'totals', rows: totals })}\n`);
      });
    rows
      .map(({ p }): [number, number] => [p, 1])
      .reduceByKeyAndWindow(
        (a, b) => a + b,
        (a, b) => a - b,
        '1s',
        '200ms',
        { name: 'lately', filter: ([, count]) => count > 0 },
      )
      .foreachRDD(async (rdd, time) => {
        const counts = await rdd.collect();
        appendFileSync(file, `${JSON.stringify({ time, output: 'window', rows: counts })}\n`);
      });
  },
};

export default defineJob({ name: env('CRASH_NAME'), batchInterval: '200ms' }, (ssc) => {
  const rows = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('CRASH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'crash',
        startFrom: 'earliest',
        value: json<Row>(),
        maxRecordsPerBatch: 600,
      }),
    )
    .map((record) => record.value);
  KINDS[env('CRASH_KIND')]?.(rows);
});

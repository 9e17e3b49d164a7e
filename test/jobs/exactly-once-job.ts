// Copies numbered records to a topic, each once; and once more behind a shuffle.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('ONCE_NAME'), batchInterval: '100ms' }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const rowMs = Number(env('ONCE_ROW_MS', '0'));
  const rows = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('ONCE_TOPIC'), {
        brokers,
        groupId: 'once',
        startFrom: 'earliest',
        value: json<{ p: number; s: number }>(),
        maxRecordsPerBatch: Number(env('ONCE_BATCH_RECORDS', '200')),
      }),
    )
    .map(({ value }) => ({ p: value.p, s: value.s }));
  const options = {
    brokers,
    guarantee: 'exactly-once',
    // Some of a task's records are sent while others are not made yet.
    bufferBytesMax: 300,
  } as const;
  rows.toKafka(env('ONCE_OUT'), {
    ...options,
    partition: (row) => row.p % 3,
    value: (row) => {
      // In the transaction: gives a killer something to hit.
      if (rowMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, rowMs);
      return row;
    },
  });
  const shuffled = env('ONCE_SHUFFLED', '');
  if (shuffled !== '')
    rows
      .map((row): [string, { p: number; s: number }] => [`${row.p}/${row.s}`, row])
      .groupByKey(5)
      .flatMap(([, same]) => [...same])
      .toKafka(() => shuffled, { ...options, name: 'shuffled', value: (row) => row });
});

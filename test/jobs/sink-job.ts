// Slow enough to be hit while it writes, in small batches of records: to a topic, and to files.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('SINK_NAME'), batchInterval: '100ms' }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const pauseMs = Number(env('SINK_PAUSE_MS'));
  const records = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('SINK_TOPIC'), {
        brokers,
        groupId: 'sink',
        startFrom: 'earliest',
        value: json<{ p: number; s: number }>(),
        maxRecordsPerBatch: 1500,
      }),
    )
    .map((record) => record.value)
    .mapPartitions(async function* (rows) {
      let n = 0;
      for await (const row of rows) {
        yield row;
        if (++n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    });
  records.toKafka(env('SINK_OUT'), {
    brokers,
    key: ({ p }) => `p${p}`,
    value: (row) => row,
    headers: ({ s }) => ({ s: String(s) }),
    compression: 'lz4',
    produceBatchRecordsMax: 20,
  });
  records.saveAsJsonFiles(env('SINK_FILES'), 'jsonl', { compression: 'gzip' });
});

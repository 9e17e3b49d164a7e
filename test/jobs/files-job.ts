// Writes slowly, a few rows at a time: to be met in the middle.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('FILES_NAME'), batchInterval: '200ms' }, (ssc) => {
  const rowMs = Number(env('FILES_ROW_MS'));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('FILES_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'files',
        startFrom: 'earliest',
        value: json<{ p: number; s: number }>(),
        maxRecordsPerBatch: 400,
      }),
    )
    .map((record) => record.value)
    .mapPartitions(async function* (rows) {
      let n = 0;
      for await (const row of rows) {
        yield { ...row, long: 'x'.repeat(4000) };
        if (++n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20 * rowMs));
      }
    })
    .saveAsJsonFiles(env('FILES_OUT'));
});

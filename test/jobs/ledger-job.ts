// Writes what it sees, one file a batch time, whole or not at all: a batch that runs again replaces its own file.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('LEDGER_NAME', 'ledger'), batchInterval: '100ms' }, (ssc) => {
  const directory = env('LEDGER_DIR');
  const pauseMs = Number(env('LEDGER_TASK_MS', '0'));
  mkdirSync(directory, { recursive: true });
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('LEDGER_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'ledger',
        startFrom: 'earliest',
        value: json<{ p: number; s: number }>(),
        maxRecordsPerBatch: Number(env('LEDGER_BATCH_RECORDS', '2000')),
      }),
    )
    .map((record) => [record.value.p, record.value.s] as const)
    .mapPartitions(async (rows) => {
      const all = await rows.toArray();
      // Gives a killer something to hit: tasks are under way for a while.
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return all;
    })
    .foreachRDD(async (rdd, time) => {
      const rows = await rdd.collect();
      const file = join(directory, `${time}.json`);
      writeFileSync(`${file}.tmp`, JSON.stringify(rows));
      renameSync(`${file}.tmp`, file);
    });
});

// Files that are the same however often a batch runs: named by batch time and partition, and renamed into place when complete.
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConsumerStrategies, defineJob, env, LocationStrategies, TaskContext } from '@millrace/api';

export default defineJob({ name: 'files', batchInterval: '1s' }, (ssc) => {
  const out = env('OUT_DIR'); // a directory that all executors share
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders', {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'files',
        startFrom: 'earliest',
      }),
    )
    .map((record) => record.value)
    .foreachRDD(async (rdd, time) => {
      const directory = join(out, String(time));
      await rdd.foreachPartition(async (rows) => {
        const lines = await rows.toArray();
        if (lines.length === 0) return;
        const file = join(directory, `part-${TaskContext.get().partitionId}.jsonl`);
        const temporary = `${file}.${randomUUID()}`; // two attempts never write to one file
        await mkdir(directory, { recursive: true });
        await writeFile(temporary, `${lines.join('\n')}\n`);
        await rename(temporary, file); // all of it or nothing; a re-run puts the same content in its place
      });
    });
});

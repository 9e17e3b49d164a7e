// Every record becomes a row, and every key a total: neither may be lost, or written twice.
import {
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  perExecutor,
  upsert,
} from '@millrace/api';
import { Pool } from 'pg';

const PAUSE_MS = Number(env('PG_PAUSE_MS', '0'));
const URL = env('PG_URL');
const SCHEMA = env('PG_SCHEMA');
const pool = perExecutor(() => new Pool({ connectionString: URL, max: 2 }));

export default defineJob({ name: env('PG_NAME'), batchInterval: '100ms' }, (ssc) => {
  const records = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('PG_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'postgres',
        startFrom: 'earliest',
        value: json<{ p: number; s: number }>(),
        maxRecordsPerBatch: 2000,
      }),
    )
    .map((record) => record.value);
  const progressTable = `${SCHEMA}.progress`;
  records.toPostgres('rows', {
    pool,
    progressTable,
    idleTimeout: '5s',
    async write(rows, client) {
      for await (const chunk of rows.chunks()) {
        await client.query(
          `INSERT INTO ${SCHEMA}.rows SELECT * FROM json_to_recordset($1) AS r(p int, s int)`,
          [JSON.stringify(chunk)],
        );
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
  });
  records
    .map(({ p, s }): [string, number] => [`${p}/${s % 7}`, 1])
    .reduceByKey((a, b) => a + b, 3)
    .map(([key, count]) => ({ key, count }))
    .toPostgres('totals', {
      pool,
      progressTable,
      idleTimeout: '5s',
      async write(rows, client) {
        await upsert(client, `${SCHEMA}.totals`, rows, {
          key: 'key',
          update: { count: 'totals.count + excluded.count' },
        });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      },
    });
});

// Orders, and the total of each country, exactly once in PostgreSQL.
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

interface Order {
  readonly id: number;
  readonly country: string;
  readonly cents: number;
}

export default defineJob({ name: 'postgres', batchInterval: '1s' }, (ssc) => {
  const orders = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders', {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'postgres',
        startFrom: 'earliest',
        value: json<Order>(),
      }),
    )
    .map((record) => record.value);

  const pool = perExecutor(() => new Pool({ connectionString: process.env['DATABASE_URL'], max: 2 }), {
    dispose: (connections) => connections.end(),
  });
  orders.toPostgres('orders', {
    pool,
    async write(rows, client) {
      for await (const chunk of rows.chunks())
        await client.query(
          'INSERT INTO orders SELECT * FROM json_to_recordset($1) AS o(id int, country text, cents int)',
          [JSON.stringify(chunk)],
        );
    },
  });
  orders
    .map(({ country, cents }): [string, number] => [country, cents])
    .reduceByKey((a, b) => a + b, 2)
    .map(([country, cents]) => ({ country, cents }))
    .toPostgres('totals', {
      pool,
      async write(rows, client) {
        await upsert(client, 'totals', rows, {
          key: 'country',
          update: { cents: 'totals.cents + excluded.cents' },
        });
      },
    });
});

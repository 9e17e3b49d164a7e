// Offsets in a database of one's own: a first start, or one that begins anew, goes on where the database says.
import {
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  perExecutor,
  TaskContext,
} from '@millrace/api';
import { Client, Pool } from 'pg';

interface Order {
  readonly cents: number;
}

async function storedOffsets(): Promise<Record<string, number>> {
  const client = new Client({ connectionString: env('DATABASE_URL') });
  await client.connect();
  try {
    const { rows } = await client.query<{ tp: string; until: string }>(
      "SELECT topic || '-' || partition AS tp, until FROM own_offsets",
    );
    return Object.fromEntries(rows.map(({ tp, until }) => [tp, Number(until)]));
  } finally {
    await client.end();
  }
}

function connections(): Pool {
  const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 2 });
  // An idle connection that breaks is replaced by the next query: no reason to end the process.
  return pool.on('error', () => undefined);
}

export default defineJob({ name: 'own-offsets', batchInterval: '1s' }, async (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'own-offsets',
      startFrom: 'earliest',
      offsets: await storedOffsets(),
      value: json<Order>(),
    }),
  );
  const pool = perExecutor(connections, { dispose: (all) => all.end() });
  orders
    .map((record) => record.value.cents)
    .foreachRDD(async (rdd) => {
      console.log(rdd.offsetRanges.map(({ fromOffset }) => `begins at ${fromOffset}`).join(', '));
      await rdd.foreachPartition(async (rows) => {
        const { offsetRange } = TaskContext.get();
        if (offsetRange === undefined) throw new Error('this is no partition of a topic');
        const { topic, partition, fromOffset, untilOffset } = offsetRange;
        const cents = (await rows.toArray()).reduce((a, b) => a + b, 0);
        const client = await pool().connect();
        try {
          await client.query('BEGIN');
          const key = [topic, partition];
          await client.query('INSERT INTO own_offsets VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
            ...key,
            fromOffset,
          ]);
          const found = await client.query<{ until: string }>(
            'SELECT until FROM own_offsets WHERE topic = $1 AND partition = $2 FOR UPDATE',
            key,
          );
          const until = Number(found.rows[0]?.until);
          if (until !== untilOffset) {
            // The end of the offsets that are there is the beginning of this batch.
            if (until !== fromOffset) throw new Error(`${until} is not ${fromOffset}`);
            await client.query('UPDATE revenue SET cents = cents + $1', [cents]);
            await client.query('UPDATE own_offsets SET until = $3 WHERE topic = $1 AND partition = $2', [
              ...key,
              untilOffset,
            ]);
          }
          // Otherwise an earlier attempt has written it.
          await client.query('COMMIT');
        } catch (error) {
          await client.query('ROLLBACK');
          throw error;
        } finally {
          client.release();
        }
      });
    });
});

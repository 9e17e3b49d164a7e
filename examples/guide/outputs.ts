// Totals of each country to a topic and to files, and every order to a service, through connections that a process keeps.
import { Agent, request } from 'node:http';
import {
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  perExecutor,
  TaskContext,
} from '@millrace/api';

interface Order {
  readonly country: string;
  readonly cents: number;
}

/** Resolves when the service has taken it. */
function post(url: string, agent: Agent, headers: Record<string, string>, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`the service answered ${response.statusCode}`));
      });
    });
    call.once('error', reject).end(body);
  });
}

export default defineJob({ name: 'outputs', batchInterval: '1s' }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const out = env('OUT_DIR'); // a directory that all executors share
  const orders = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders', {
        brokers,
        groupId: 'outputs',
        startFrom: 'earliest',
        value: json<Order>(),
      }),
    )
    .map((record) => record.value);

  const totals = orders
    .map(({ country, cents }): [string, number] => [country, cents])
    .reduceByKey((a, b) => a + b, 2);
  totals.toKafka('totals', { brokers });
  totals.saveAsJsonFiles(`${out}/totals`);

  const serviceUrl = env('RATES_URL');
  const connections = perExecutor(() => new Agent({ keepAlive: true, maxSockets: 4 }), {
    dispose: (agent) => agent.destroy(),
  });
  orders.foreachRDD(async (rdd, time) => {
    await rdd.foreachPartition(async (rows) => {
      // A batch that runs again gives the same rows under the same name: the service can tell.
      const headers = { 'idempotency-key': `${time}-${TaskContext.get().partitionId}` };
      const all = await rows.toArray();
      if (all.length > 0) await post(serviceUrl, connections(), headers, JSON.stringify(all));
    });
  });
});

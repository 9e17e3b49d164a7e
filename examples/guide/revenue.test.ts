import { expect, it, jest } from '@jest/globals';
import { embed, produce, startDevBroker } from '@millrace/testing';
import job from './revenue.ts';

it('adds up what was ordered', async () => {
  const broker = await startDevBroker(); // in memory, in this process, on a free port
  try {
    process.env['KAFKA_BROKERS'] = broker.brokers;
    broker.createTopic('orders', { partitions: 2 });
    const orders = [250, 500].map((cents, id) => ({ id, user: 'ann', country: 'de', cents }));
    await produce(
      broker.brokers,
      'orders',
      orders.map((order) => ({ key: order.user, value: JSON.stringify(order) })),
    );
    const log = jest.spyOn(console, 'log').mockReturnValue();

    const app = await embed(job, { config: { batches: 1, batchInterval: '20ms' } });
    await app.start();
    await app.awaitTermination({ timeoutMs: 10_000 });

    expect(log.mock.calls).toEqual([[expect.any(String), 7.5]]);
  } finally {
    await broker.close();
  }
});

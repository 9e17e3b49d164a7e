import type { KafkaClient } from '@millrace/kafka';
import { PARTITIONS } from './topics.ts';

/** Produces `perSecond` records a second, spread over the partitions, every 5 ms, until it is stopped. */
export function trickle(
  client: KafkaClient,
  topic: string,
  perSecond: number,
  partitions = PARTITIONS,
): { stop(): Promise<void> } {
  const producer = client.producer();
  const started = performance.now();
  const value = 'x'.repeat(100);
  let sent = 0;
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
      const records = Array.from({ length: Math.min(due - sent, 10_000) }, (_, i) => ({
        partition: (sent + i) % partitions,
        value,
        timestamp: Date.now(),
      }));
      sent += records.length;
      if (records.length > 0) await producer.send(topic, records, { acks: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await producer.close();
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

import { randomUUID } from 'node:crypto';
import { type BenchResult, median, NOTHING, rounded } from './bench-result.ts';
import { type BenchSettings, withClient } from './benchmark.ts';
import { PARTITIONS } from './topics.ts';

const RECORDS = 2_000_000;

/** One process, one producer, acks=all. */
export async function produce(settings: BenchSettings): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client) => {
    const records = settings.records ?? RECORDS;
    const topic = `millrace-bench-produce-${randomUUID().slice(0, 8)}`;
    await client.createTopic(topic, { partitions: PARTITIONS });
    const value = Buffer.from('x'.repeat(100));
    const chunk = Array.from({ length: 20_000 }, (_, i) => ({ partition: i % PARTITIONS, value }));
    const producer = client.producer();
    const times: number[] = [];
    try {
      for (let run = 0; run <= runs; run++) {
        const started = performance.now();
        for (let sent = 0; sent < records; sent += chunk.length)
          await producer.send(topic, chunk, { acks: -1 });
        const took = performance.now() - started;
        say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${rounded(records / took / 1000)} M records/s`);
        if (run > 0) times.push(took);
      }
    } finally {
      await producer.close();
      await client.deleteTopic(topic);
    }
    return {
      ...NOTHING,
      bench: 'produce',
      records,
      recordsPerSecond: Math.round((records / median(times)) * 1000),
      settings: { runs, valueBytes: 100, batchRecords: chunk.length / PARTITIONS, acks: 'all' },
    };
  });
}

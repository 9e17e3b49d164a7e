import type { KafkaClient } from '@millrace/kafka';

const CHUNK = 500;

/** Appends records { p, s } with s = 0, 1, 2 … to each partition, continuing where it was. `pauseMs` between chunks spreads them over batches. */
export class LedgerProducer {
  /** Records that each partition was given. */
  readonly produced: Map<number, number>;
  readonly #client: KafkaClient;
  readonly #topic: string;

  constructor(client: KafkaClient, topic: string, partitions: number) {
    this.#client = client;
    this.#topic = topic;
    this.produced = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
  }

  async append(recordsPerPartition: number, pauseMs = 0): Promise<void> {
    const producer = this.#client.producer();
    for (let done = 0; done < recordsPerPartition; done += CHUNK) {
      const count = Math.min(CHUNK, recordsPerPartition - done);
      const records = [...this.produced].flatMap(([p, first]) =>
        Array.from({ length: count }, (_, i) => ({
          partition: p,
          key: `${p}`,
          value: JSON.stringify({ p, s: first + i }),
        })),
      );
      await producer.send(this.#topic, records);
      for (const [p, first] of this.produced) this.produced.set(p, first + count);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await producer.close();
  }

  /** All records of all partitions. */
  get total(): number {
    return [...this.produced.values()].reduce((sum, count) => sum + count, 0);
  }
}

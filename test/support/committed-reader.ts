import { type KafkaClient, topicPartitionKey } from '@millrace/kafka';
import type { LedgerEntry } from '../ledger/ledger-checker.ts';

/** Reads a topic of { p, s } as a consumer with isolation.level=read_committed does, going on where it was. */
export class CommittedReader {
  /** By partition of the topic, in the order in which they came. */
  readonly seen: LedgerEntry[][];
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #positions: number[];

  constructor(client: KafkaClient, topic: string, partitions: number) {
    this.#client = client;
    this.#topic = topic;
    this.seen = Array.from({ length: partitions }, () => []);
    this.#positions = this.seen.map(() => 0);
  }

  get count(): number {
    return this.seen.reduce((sum, { length }) => sum + length, 0);
  }

  /** All that is committed by now. Returns how many there are. */
  async read(): Promise<number> {
    const tps = this.seen.map((_, partition) => ({ topic: this.#topic, partition }));
    const ends = await this.#client.listOffsets(tps, 'latest', 'read_committed');
    for (const tp of tps) {
      const fromOffset = this.#positions[tp.partition] ?? 0;
      const untilOffset = ends.get(topicPartitionKey(tp))?.offset ?? 0;
      if (untilOffset <= fromOffset) continue;
      const reader = this.#client.reader(tp, { isolation: 'read_committed' });
      for await (const columns of reader.read({ ...tp, fromOffset, untilOffset })) {
        for (let i = 0; i < columns.n; i++) {
          const { p, s } = JSON.parse(columns.valueString(i) ?? '') as { p: number; s: number };
          this.seen[tp.partition]?.push({ partition: p, sequence: s });
        }
      }
      await reader.close();
      this.#positions[tp.partition] = untilOffset;
    }
    return this.count;
  }
}

import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient, type KafkaOptions } from '@millrace/kafka';
import { BenchCluster } from './bench-cluster.ts';
import type { BenchResult } from './bench-result.ts';

export interface BenchSettings {
  readonly brokers: string;
  /** Absent: as many as the benchmark's aim is about. */
  readonly records: number | undefined;
  readonly runs: number;
  /** A topic that is there already; absent: the benchmark's own. */
  readonly topic: string | undefined;
  /** ms, of tiny and empty. */
  readonly intervalMs: number;
  /** Measured batches of tiny and empty, after the warm-up. */
  readonly batches: number;
  readonly say: (text: string) => void;
}

export type Benchmark = (settings: BenchSettings) => Promise<BenchResult>;

export async function withClient<T>(
  brokers: string,
  use: (client: KafkaClient, options: KafkaOptions) => Promise<T>,
): Promise<T> {
  const options = resolveConfig(KAFKA_OPTIONS, { brokers, clientId: 'millrace-bench' }, 'bench');
  const client = connectKafka(options);
  try {
    return await use(client, options);
  } finally {
    await client.close();
  }
}

export async function withCluster<T>(
  brokers: string,
  use: (cluster: BenchCluster) => Promise<T>,
): Promise<T> {
  const cluster = await BenchCluster.start(brokers);
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

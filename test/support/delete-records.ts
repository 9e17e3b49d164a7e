import { createRequire } from 'node:module';

interface Admin {
  connect(): Promise<void>;
  fetchTopicOffsets(topic: string): Promise<unknown>;
  deleteTopicRecords(what: {
    readonly topic: string;
    readonly partitions: ReadonlyArray<{ readonly partition: number; readonly offset: string }>;
  }): Promise<void>;
  disconnect(): Promise<void>;
}

/** As retention does it: the log of the partition begins at `before` then. */
export async function deleteRecords(
  brokers: string,
  topic: string,
  partition: number,
  before: number,
): Promise<void> {
  const { Kafka, logLevel } = createRequire(new URL('../../packages/kafka/package.json', import.meta.url))(
    'kafkajs',
  ) as {
    Kafka: new (options: object) => { admin(): Admin };
    logLevel: { readonly NOTHING: number };
  };
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    // kafkajs knows no topic before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] });
  } finally {
    await admin.disconnect();
  }
}

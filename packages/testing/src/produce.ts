import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type ProducedRange, type ProduceRecord } from '@millrace/kafka';

/** Appends records to a topic; resolves when Kafka has acknowledged them. @throws MillraceError as KafkaProducer.send. */
export async function produce(
  brokers: string,
  topic: string,
  records: readonly ProduceRecord[],
): Promise<readonly ProducedRange[]> {
  const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers }, 'produce'));
  try {
    return await client.producer().send(topic, records);
  } finally {
    await client.close();
  }
}

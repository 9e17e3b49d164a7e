import { MillraceError } from '@millrace/common';
import type { KafkaClient } from '@millrace/kafka';

/**
 * Makes sure that a topic exists. Returns whether it was created here.
 * @throws MillraceError KAFKA_UNREACHABLE; what the broker refuses.
 */
export async function ensureTopic(
  kafka: Pick<KafkaClient, 'topics' | 'createTopic'>,
  topic: string,
  partitions: number,
): Promise<boolean> {
  if (await exists(kafka, topic)) return false;
  try {
    await kafka.createTopic(topic, { partitions });
    return true;
  } catch (error) {
    // Somebody else was faster.
    if (await exists(kafka, topic)) return false;
    throw error;
  }
}

async function exists(kafka: Pick<KafkaClient, 'topics'>, topic: string): Promise<boolean> {
  try {
    return (await kafka.topics([topic])).length > 0;
  } catch (error) {
    if (MillraceError.is(error, 'UNKNOWN_TOPIC')) return false;
    throw error;
  }
}

import type { OffsetRange } from '@millrace/kafka';
import { DStream } from '../dstream.ts';
import type { KafkaRecord } from './kafka-record.ts';
import { checkCommitted } from './offset-commit.ts';

/** What createDirectStream makes: a DStream whose offsets can be committed to Kafka (Spark's CanCommitOffsets). */
export class DirectStream<K = string | null, V = string> extends DStream<KafkaRecord<K, V>> {
  /**
   * Commits the ends of these ranges as offsets of the stream's group: when the running batch is committed, so after all of its outputs;
   * at once when none runs; at the latest when the application stops in peace. Of several calls the highest offset of a partition counts.
   * Resolves when Kafka has acknowledged. Do not await it in foreachRDD: the batch would wait for itself, and after 20 s without a job the
   * promise rejects with DEADLINE_EXCEEDED (its offsets are still committed). A rejection that nobody handles is a notice, no more.
   * Kafka's offsets are a copy: a restart goes on where the application's own log ends.
   * Rejects with MillraceError OFFSET_RANGE_INVALID; BAD_REQUEST before the application runs; CANCELLED when the batch or the application
   * ended first; what KafkaClient.commitOffsets throws.
   */
  async commitAsync(ranges: readonly OffsetRange[]): Promise<void> {
    const checked = checkCommitted(ranges);
    const { node } = this;
    if (node.kind === 'direct-kafka') await this.graph.committer.commitAsync(node.input.inputId, checked);
  }
}

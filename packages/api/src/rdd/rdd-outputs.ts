import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { MillraceError } from '@millrace/common';
import { type FileSinkOptions, fileSettings, saveFiles } from '../output/file-sink.ts';
import {
  type KafkaSinkOptions,
  type KafkaWriteCall,
  type OutputRecord,
  type ProducerConfig,
  toKafkaCall,
  writeToKafkaCall,
} from '../output/kafka-sink.ts';
import { callerPlace } from '../place.ts';
import { RddActions } from './rdd-actions.ts';

/** What writes rows outside of the engine. */
export abstract class RddOutputs<T> extends RddActions<T> {
  /**
   * Writes each row as a record; resolves to their number when all have been acknowledged. At least once: a task that runs again writes again.
   * The order of the rows of a partition is kept within each partition of the topic.
   * @throws MillraceError VALUE_ENCODE, RECORD_TOO_LARGE, UNKNOWN_TOPIC, UNKNOWN_PARTITION, NOT_ENOUGH_REPLICAS, KAFKA_UNREACHABLE, KAFKA_AUTH …
   */
  async toKafka(topic: string | ((row: T) => string), options: KafkaSinkOptions<T>): Promise<number> {
    return this.#toKafka(toKafkaCall(topic, options));
  }

  /** Spark's name: each row → the record to write. As toKafka otherwise. */
  async writeToKafka(config: ProducerConfig, transform: (row: T) => OutputRecord): Promise<number> {
    return this.#toKafka(writeToKafkaCall(config, transform, false));
  }

  /** As writeToKafka; a record without a key is an error (VALUE_ENCODE). */
  async writeWithKeysToKafka(
    config: ProducerConfig,
    transform: (row: T) => OutputRecord & { readonly key: unknown },
  ): Promise<number> {
    return this.#toKafka(writeToKafkaCall(config, transform, true));
  }

  /**
   * Writes `directory/part-00000` …, one line a row: texts as they are, other rows as JSON. The directory appears as a whole, with `_SUCCESS`
   * (see FileManifest); one that was written so before is replaced. It is one of the executors' machines: let all of them see it.
   * @throws MillraceError VALUE_ENCODE, OUTPUT_WRITE_FAILED, OUTPUT_CONFLICT: there is something else in the directory.
   */
  async saveAsTextFile(directory: string, options?: FileSinkOptions): Promise<void> {
    await this.#saveAs('saveAsTextFile', fileSettings('saveAsTextFile', directory, 'text', options));
  }

  /** As saveAsTextFile, with each row as JSON. */
  async saveAsJsonFile(directory: string, options?: FileSinkOptions): Promise<void> {
    await this.#saveAs('saveAsJsonFile', fileSettings('saveAsJsonFile', directory, 'json', options));
  }

  async #saveAs(output: string, settings: ReturnType<typeof fileSettings>): Promise<void> {
    // Two calls may write at the same time.
    const all = { ...settings, output, stage: basename(settings.directory), call: randomUUID() };
    await saveFiles(this.node, this.runner, all, callerPlace());
  }

  async #toKafka({ functions, numbers, value, exactlyOnce }: KafkaWriteCall): Promise<number> {
    // A function of the driver may write twice, or not, and nobody could tell what of it a batch has done.
    if (exactlyOnce !== undefined)
      throw new MillraceError('JOB_INVALID', 'an RDD cannot be written exactly once', {
        remedy: 'Use toKafka() of a stream: stream.transform((rdd) => …).toKafka(…).',
      });
    return this.results<number>('kafkaWrite', functions, { numbers, value }).then((counts) =>
      counts.reduce((sum, count) => sum + count, 0),
    );
  }
}

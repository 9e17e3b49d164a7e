import { basename } from 'node:path';
import { MillraceError } from '@millrace/common';
import { partitionCount } from '../lineage/rdd-node.ts';
import {
  type ExactlyOnceOutput,
  type TransactionSettings,
  writeInTransactions,
} from '../output/exactly-once.ts';
import {
  batchDirectory,
  type FileFormat,
  type FileSinkOptions,
  fileSettings,
  saveFiles,
} from '../output/file-sink.ts';
import {
  type KafkaSinkOptions,
  type KafkaTarget,
  type KafkaWriteCall,
  type OutputRecord,
  type ProducerConfig,
  toKafkaCall,
  writeToKafkaCall,
} from '../output/kafka-sink.ts';
import { checkSink, type Guarantee, type Sink } from '../output/sink.ts';
import { calledAt, callerPlace } from '../place.ts';
import type { RDD } from '../rdd.ts';
import { DStreamBase } from './dstream-base.ts';
import type { BatchTime } from './stream-node.ts';

/** What an output operation of ours is. */
interface Output<T> {
  readonly name: string;
  readonly guarantee: Guarantee;
  readonly to: string;
  readonly place: string;
  readonly run: (rdd: RDD<T>, time: BatchTime) => Promise<unknown>;
  readonly target?: KafkaTarget | undefined;
  readonly exactlyOnce?: ExactlyOnceOutput;
}

/** What writes each batch outside of the engine. */
export abstract class DStreamOutputs<T> extends DStreamBase<T> {
  /** Output: writes each batch to a sink of your own, on the driver; its guarantee is shown at submit. */
  writeTo(sink: Sink<T>): void {
    const place = callerPlace();
    this.graph.check(() => checkSink(sink), place);
    const { guarantee, name = 'writeTo', describe } = Object(sink) as Sink<T>;
    this.graph.addOutput(name, this.node, (rdd, time) => sink.write(rdd as RDD<T>, time), place, {
      guarantee,
      ...(describe && { to: describe.call(sink) }),
    });
  }

  /**
   * Output: writes each row of each batch as a record; at least once, or exactly once when the options say so: then each task writes in one
   * transaction, and a row must be the same whenever its batch is run (no time, no chance). See RDD.toKafka.
   */
  toKafka(topic: string | ((row: T) => string), options: KafkaSinkOptions<T>): void {
    const to = typeof topic === 'string' ? `topic "${topic}"` : 'topics of its rows';
    this.#toKafka(
      'toKafka',
      to,
      (transaction) => toKafkaCall(topic, options, transaction),
      (rdd) => rdd.toKafka(topic, options),
    );
  }

  /** Output, by Spark's name: each row → the record to write. As toKafka otherwise. */
  writeToKafka(config: ProducerConfig, transform: (row: T) => OutputRecord): void {
    this.#toKafka(
      'writeToKafka',
      'topics of its rows',
      (transaction) => writeToKafkaCall(config, transform, false, transaction),
      (rdd) => rdd.writeToKafka(config, transform),
    );
  }

  /** As writeToKafka; a record without a key is an error (VALUE_ENCODE). */
  writeWithKeysToKafka(
    config: ProducerConfig,
    transform: (row: T) => OutputRecord & { readonly key: unknown },
  ): void {
    this.#toKafka(
      'writeWithKeysToKafka',
      'topics of its rows',
      (transaction) => writeToKafkaCall(config, transform, true, transaction),
      (rdd) => rdd.writeWithKeysToKafka(config, transform),
    );
  }

  /**
   * Output: each batch to files of lines in the directory "prefix-TIME_MS[.suffix]", which appears as a whole, once. See RDD.saveAsTextFile,
   * FileManifest.
   */
  saveAsTextFiles(prefix: string, suffix?: string, options?: FileSinkOptions): void {
    this.#saveAs('saveAsTextFiles', prefix, suffix, 'text', options);
  }

  /** Output: each batch to files of JSON lines in "prefix-TIME_MS[.suffix]". */
  saveAsJsonFiles(prefix: string, suffix?: string, options?: FileSinkOptions): void {
    this.#saveAs('saveAsJsonFiles', prefix, suffix, 'json', options);
  }

  #saveAs(
    name: string,
    prefix: string,
    suffix: string | undefined,
    format: FileFormat,
    options: FileSinkOptions | undefined,
  ): void {
    const place = callerPlace();
    const { graph } = this;
    const settings = (time: BatchTime) =>
      fileSettings(name, prefix === '' ? '' : batchDirectory(prefix, time, suffix), format, options);
    const to = `files ${batchDirectory(prefix, '…', suffix)}`;
    const { outputs } = graph.graph;
    graph.check(() => {
      settings(0);
      const other = outputs.find((output) => output.to === to);
      if (other !== undefined)
        throw new MillraceError('JOB_INVALID', `two outputs write ${to}`, {
          remedy: `Give each a prefix or suffix of its own; the other one is at ${other.place}.`,
        });
    }, place);
    const output = `${name}#${outputs.length}`;
    const stage = basename(`${prefix}-${suffix ?? ''}`);
    const run = ({ node }: RDD<T>, time: BatchTime): Promise<void> => {
      const checked = settings(time);
      const all = { ...checked, output, stage, planHash: graph.rdds.planHash };
      return saveFiles(node, graph.runner, all, place);
    };
    this.#output({ name, guarantee: 'exactly-once', to, place, run });
  }

  /** Everything is checked and captured now, and captured anew for each batch. */
  #toKafka(
    name: string,
    to: string,
    make: (transaction?: TransactionSettings) => KafkaWriteCall,
    run: (rdd: RDD<T>) => Promise<number>,
  ): void {
    const place = callerPlace();
    const call = this.graph.check(() => {
      const made = make();
      this.graph.addLambdas(name, made.functions, place);
      return made;
    }, place);
    const target = call?.target;
    if (call?.exactlyOnce) this.#writeOnce({ name, to, place, target }, call.exactlyOnce, make);
    else this.#output({ name, guarantee: 'at-least-once', to, place, run, target });
  }

  #writeOnce(
    output: Pick<Output<T>, 'name' | 'to' | 'place' | 'target'>,
    exactlyOnce: ExactlyOnceOutput,
    make: (transaction: TransactionSettings) => KafkaWriteCall,
  ): void {
    const { graph } = this;
    const run = async ({ node }: RDD<T>): Promise<void> => {
      const transaction = await graph.transactions.begin(exactlyOnce, partitionCount(node));
      const call = calledAt(output.place, () => make(transaction));
      await writeInTransactions(node, graph.runner, exactlyOnce.name, call, output.place);
    };
    this.#output({ ...output, guarantee: 'exactly-once', run, exactlyOnce });
  }

  #output({ name, guarantee, to, place, run, target, exactlyOnce }: Output<T>): void {
    const output = async (rdd: RDD<unknown>, time: BatchTime): Promise<void> => {
      await calledAt(place, () => run(rdd as RDD<T>, time));
    };
    this.graph.addOutput(name, this.node, output, place, {
      guarantee,
      to,
      ...(target && { target }),
      ...(exactlyOnce && { exactlyOnce }),
    });
  }
}

import {
  outputConflict,
  outputFenced,
  outputForeign,
  type SkippedTask,
  type TaskContextData,
  type TransactionSettings,
} from '@millrace/api/internal';
import { assertNever, crashPoint, MillraceError } from '@millrace/common';
import {
  isForeign,
  type KafkaClient,
  type ProgressPlace,
  progressOffset,
  progressPlace,
  progressVerdict,
  type RecordStream,
  type RecordStreamOptions,
  readProgress,
  type TransactionalProducer,
} from '@millrace/kafka';

type Append = Parameters<RecordStream['append']>;

export interface TransactionStreamOptions {
  readonly client: Pick<KafkaClient, 'transactionalProducer' | 'committedOffsets'>;
  readonly transaction: TransactionSettings;
  readonly task: Pick<TaskContextData, 'epoch' | 'batchTime' | 'partitionId'>;
  readonly stream: Omit<RecordStreamOptions, 'acks'>;
}

/**
 * The records of one task attempt in one transaction, with the progress that tells of them (model: test/model/sink-protocol.ts). It begins with the first
 * record: init, then read the progress, which says whether the records are there already. Then they are only counted.
 */
export class TransactionStream {
  readonly #options: TransactionStreamOptions;
  readonly #place: ProgressPlace;
  /** Of the row that was the first one, and waits until it is known what becomes of it. */
  #first: Append[] = [];
  #producer: TransactionalProducer | undefined;
  #stream: RecordStream | undefined;
  #isSkipped = false;
  #skipped = 0;

  constructor(options: TransactionStreamOptions) {
    this.#options = options;
    this.#place = progressPlace(options.transaction.prefix, options.task.partitionId);
  }

  get isFull(): boolean {
    return this.#stream ? this.#stream.isFull : this.#first.length > 0;
  }

  /** What the task brings. */
  get result(): number | SkippedTask {
    return this.#isSkipped ? { skipped: this.#skipped } : (this.#stream?.records ?? 0);
  }

  /** See RecordStream. */
  append(...record: Append): void {
    if (this.#stream) this.#stream.append(...record);
    else if (this.#isSkipped) this.#skipped += 1;
    else this.#first.push(record);
  }

  /** See RecordStream. @throws also FENCED, OUTPUT_CONFLICT, TRANSACTION_UNKNOWN, TRANSACTION_ABORTABLE, PRODUCER_FENCED. */
  async ready(): Promise<void> {
    await attempted(async () => {
      if (this.#first.length > 0) await this.#begin();
      await this.#stream?.ready();
    });
  }

  /** All records will be visible when it resolves; none were, when there was none. @throws as ready. */
  async finish(): Promise<void> {
    await this.ready();
    const stream = this.#stream;
    const producer = this.#producer;
    if (!stream || !producer) return;
    await attempted(async () => {
      await stream.finish();
      crashPoint('sink-produced');
      await producer.sendOffsets(this.#place.groupId, [progressOffset(this.#place, this.#own)]);
      crashPoint('progress-sent');
      await producer.commit();
      crashPoint('sink-committed');
    });
  }

  /** Never throws. The broker is told in the background: the next attempt's init ends the transaction, too. */
  async abort(): Promise<void> {
    await this.#stream?.abort();
    this.#producer?.abort().catch(() => undefined);
  }

  get #own() {
    const { task, transaction } = this.#options;
    return {
      epoch: task.epoch,
      batchTime: task.batchTime,
      planHash: transaction.planHash,
      log: transaction.log,
      after: transaction.after,
    };
  }

  async #begin(): Promise<void> {
    const { client, transaction, stream } = this.#options;
    const { transactionalId } = this.#place;
    const producer = client.transactionalProducer({
      transactionalId,
      transactionTimeoutMs: transaction.timeoutMs,
      stepTimeoutMs: stream.deliveryTimeoutMs,
    });
    await producer.init();
    if (await this.#isThere(producer)) this.#isSkipped = true;
    else {
      producer.begin();
      this.#producer = producer;
      this.#stream = producer.stream(stream);
    }
    const records = this.#first;
    this.#first = [];
    for (const record of records) this.append(...record);
  }

  async #isThere(producer: TransactionalProducer): Promise<boolean> {
    const { client, transaction, stream } = this.#options;
    const own = this.#own;
    const found = await readProgress(client, producer, this.#place, stream.deliveryTimeoutMs);
    const verdict = progressVerdict(found, own);
    if (found === undefined || verdict === 'run') return false;
    switch (verdict) {
      case 'skip':
        return true;
      case 'fenced':
        throw isForeign(found, own.log)
          ? outputForeign(transaction.prefix, found, own.log)
          : outputFenced(transaction.prefix, found.epoch, own.epoch);
      case 'stale':
      case 'conflict':
        throw outputConflict(transaction.prefix, found, own.batchTime);
      default:
        return assertNever(verdict, 'verdict on progress');
    }
  }
}

/** Whoever took the id over may be an attempt before this one, that came back; the next attempt finds out by the progress. */
async function attempted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!MillraceError.is(error, 'PRODUCER_FENCED')) throw error;
    const { code, what, remedy, details } = error;
    throw new MillraceError(code, what, { remedy, details, retryable: true, cause: error });
  }
}

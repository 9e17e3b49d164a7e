import type { BrokerConnection } from '../connection/broker-connection.ts';
import {
  type Coordinated,
  type Coordinators,
  coordinatorCallMs,
  isCoordinatorMoved,
} from '../coordinators.ts';
import { BrokerFailure } from '../kafka-failure.ts';
import type { ProducerIdentity } from '../produce/producer-sequences.ts';
import { INIT_PRODUCER_ID } from '../protocol/producer-id-api.ts';
import {
  ADD_OFFSETS_TO_TXN,
  ADD_PARTITIONS_TO_TXN,
  END_TXN,
  type PartitionErrors,
  type TransactionSender,
  TXN_OFFSET_COMMIT,
  type TxnOffset,
} from '../protocol/transaction-api.ts';
import type { Retrier } from '../retrier.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { answerMs, judged, refusal, sentOnce } from './transaction-failure.ts';

interface Answer<T> {
  readonly error: number;
  /** What the error is about. */
  readonly of?: string;
  readonly value: T;
}

/**
 * The requests of transactions to their coordinators. What was refused for a passing reason is sent again until the deadline; what was
 * not answered is not: it may still be on its way. They throw StepFailures, and what a Retrier ends in.
 */
export class TransactionCoordinator {
  readonly #coordinators: Coordinators;
  readonly #retrier: Retrier;

  constructor(coordinators: Coordinators, retrier: Retrier) {
    this.#coordinators = coordinators;
    this.#retrier = retrier;
  }

  /** Repeated also without an answer: one that is late only raises the epoch once more. */
  async init(
    transactionalId: string,
    transactionTimeoutMs: number,
    timeoutMs: number,
  ): Promise<ProducerIdentity> {
    const to = { type: 'transaction', key: transactionalId } as const;
    return this.#ask(to, `InitProducerId of ${transactionalId}`, timeoutMs, async (connection, leftMs) => {
      const request = { transactionalId, transactionTimeoutMs };
      const options = { timeoutMs: coordinatorCallMs(leftMs, timeoutMs) };
      const { error, id, epoch } = await connection.call(INIT_PRODUCER_ID, request, options);
      return { error, value: { id, epoch } };
    });
  }

  async addPartitions(
    by: TransactionSender,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<void> {
    const what = `AddPartitionsToTxn of ${by.transactionalId}`;
    await this.#once(transactionOf(by), what, timeoutMs, async (connection, leftMs) =>
      worst(await connection.call(ADD_PARTITIONS_TO_TXN, { ...by, partitions }, { timeoutMs: leftMs })),
    );
  }

  async addOffsets(by: TransactionSender, groupId: string, timeoutMs: number): Promise<void> {
    const what = `AddOffsetsToTxn of ${by.transactionalId} for group ${groupId}`;
    await this.#once(transactionOf(by), what, timeoutMs, async (connection, leftMs) => ({
      error: await connection.call(ADD_OFFSETS_TO_TXN, { ...by, groupId }, { timeoutMs: leftMs }),
      value: undefined,
    }));
  }

  async commitOffsets(
    by: TransactionSender,
    groupId: string,
    offsets: readonly TxnOffset[],
    timeoutMs: number,
  ): Promise<void> {
    const what = `TxnOffsetCommit of ${by.transactionalId} for group ${groupId}`;
    await this.#once({ type: 'group', key: groupId }, what, timeoutMs, async (connection, leftMs) =>
      worst(await connection.call(TXN_OFFSET_COMMIT, { ...by, groupId, offsets }, { timeoutMs: leftMs })),
    );
  }

  async end(by: TransactionSender, commit: boolean, timeoutMs: number): Promise<void> {
    const what = `EndTxn (${commit ? 'commit' : 'abort'}) of ${by.transactionalId}`;
    await this.#once(transactionOf(by), what, timeoutMs, async (connection, leftMs) => ({
      error: await connection.call(END_TXN, { ...by, commit }, { timeoutMs: leftMs }),
      value: undefined,
    }));
  }

  async #once<T>(
    to: Coordinated,
    what: string,
    timeoutMs: number,
    send: (connection: BrokerConnection, leftMs: number) => Promise<Answer<T>>,
  ): Promise<T> {
    try {
      return await this.#ask(to, what, timeoutMs, async (connection, leftMs) =>
        sentOnce(what, () => send(connection, answerMs(leftMs, timeoutMs))),
      );
    } catch (error) {
      throw judged(error, what);
    }
  }

  async #ask<T>(
    to: Coordinated,
    what: string,
    timeoutMs: number,
    send: (connection: BrokerConnection, leftMs: number) => Promise<Answer<T>>,
  ): Promise<T> {
    return this.#retrier.run(
      timeoutMs,
      async (leftMs) => {
        try {
          const callMs = coordinatorCallMs(leftMs, timeoutMs);
          const connection = await this.#coordinators.connectionTo(to, 'transaction', callMs);
          const { error, of = '', value } = await send(connection, leftMs);
          if (error === KAFKA_ERROR.NONE) return value;
          if (isCoordinatorMoved(error)) this.#coordinators.forget(to);
          throw refusal(error, `${what}${of === '' ? '' : `, ${of}`}`);
        } catch (error) {
          if (error instanceof BrokerFailure) this.#coordinators.forget(to);
          throw error;
        }
      },
      { isPatient: true },
    );
  }
}

function transactionOf({ transactionalId }: TransactionSender): Coordinated {
  return { type: 'transaction', key: transactionalId };
}

/** The one error that says why: the others were not attempted because of it, or are the same. */
function worst(answers: PartitionErrors): Answer<undefined> {
  const failed = answers.filter(({ error }) => error !== KAFKA_ERROR.NONE);
  const found = failed.find(({ error }) => error !== KAFKA_ERROR.OPERATION_NOT_ATTEMPTED) ?? failed[0];
  if (found === undefined) return { error: KAFKA_ERROR.NONE, value: undefined };
  return { error: found.error, of: topicPartitionKey(found), value: undefined };
}

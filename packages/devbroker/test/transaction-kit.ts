import { MillraceError } from '@millrace/common';
import { KAFKA_ERROR, type KafkaClient, topicPartitionKey } from '@millrace/kafka';
import type { DevBroker, FaultAction } from '../src/index.ts';
import { TP } from './fault-kit.ts';

export const PROGRESS = { topic: 'progress', partition: 0 };

/** Every request of an attempt of the sink below, in the order in which they are first sent. */
export const STEPS = [
  'FindCoordinator',
  'InitProducerId',
  'OffsetFetch',
  'AddPartitionsToTxn',
  'Produce',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
] as const;

export const FAULTS: ReadonlyArray<readonly [name: string, action: FaultAction]> = [
  ['a connection cut before the work', { kind: 'close', when: 'before' }],
  ['a connection cut after the work', { kind: 'close', when: 'after' }],
  ['a connection cut in the middle of the answer', { kind: 'close', when: 'midway' }],
  ['silence instead of the work', { kind: 'drop', when: 'before' }],
  ['silence after the work', { kind: 'drop', when: 'after' }],
  ['work that is done late, after the connection was cut', { kind: 'late', delayMs: 60 }],
  ['a delay', { kind: 'delay', delayMs: 50 }],
  ['another coordinator', { kind: 'error', code: KAFKA_ERROR.NOT_COORDINATOR }],
  ['a coordinator that loads', { kind: 'error', code: KAFKA_ERROR.COORDINATOR_LOAD_IN_PROGRESS }],
  ['a transaction that still ends', { kind: 'error', code: KAFKA_ERROR.CONCURRENT_TRANSACTIONS }],
  ['an unknown error', { kind: 'error', code: 12_345 }],
];

/** One attempt of a sink as section "Delivery" of the design has it: progress is read after the init. */
export async function attempt(
  kafka: KafkaClient,
  transactionalId: string,
  batch: number,
  values: readonly string[],
): Promise<'written' | 'skipped'> {
  const producer = kafka.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
  await producer.init();
  const stable = { requireStable: true };
  const found = (await kafka.committedOffsets(transactionalId, [PROGRESS], stable)).get(
    topicPartitionKey(PROGRESS),
  );
  if ((found?.offset ?? 0) > batch) return 'skipped';
  producer.begin();
  for (const value of values) await producer.send(TP.topic, [{ value, partition: TP.partition }]);
  await producer.sendOffsets(transactionalId, [{ ...PROGRESS, offset: batch + 1 }]);
  await producer.commit();
  return 'written';
}

/** Attempts until one knows that the batch is there. Gives the codes of those that failed. */
export async function untilDone(
  kafka: KafkaClient,
  transactionalId: string,
  batch: number,
  values: readonly string[],
  triesMax = 10,
): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      await attempt(kafka, transactionalId, batch, values);
      return codes;
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
      codes.push(error.code);
    }
  }
  throw new Error(`batch ${batch} was never done: ${codes.join(', ')}`);
}

/** The values that read_committed sees. */
export async function committedValues(kafka: KafkaClient): Promise<readonly (string | null)[]> {
  const found = (await kafka.listOffsets([TP], 'latest')).get(topicPartitionKey(TP));
  const reader = kafka.reader(TP);
  const values: (string | null)[] = [];
  for await (const columns of reader.read({ ...TP, fromOffset: 0, untilOffset: found?.offset ?? 0 })) {
    for (let i = 0; i < columns.n; i++) values.push(columns.valueString(i));
  }
  await reader.close();
  return values;
}

/** Whether no transaction holds the partition back. */
export function isStable(broker: DevBroker): boolean {
  const { lastStableOffset, logEndOffset } = broker.offsets(TP);
  return lastStableOffset === logEndOffset;
}

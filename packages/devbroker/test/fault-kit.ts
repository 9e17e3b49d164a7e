import { afterEach } from '@jest/globals';
import {
  type Logger,
  MillraceError,
  messageOf,
  resolveConfig,
  silentLogger,
  systemClock,
} from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient, type OffsetRange } from '@millrace/kafka';
import { type DevBroker, type DevBrokerOptions, startDevBroker } from '../src/index.ts';

export const TP = { topic: 't', partition: 0 };

/** Short enough to see them end, long enough for a busy machine. */
const TIMEOUTS = { connectionTimeoutMs: 2000, requestTimeoutMs: 3000, fetchTimeoutMs: 3000, fetchWaitMs: 50 };

const open: Array<{ close(): Promise<void> }> = [];

/** To be called in a test file: closes what its tests have opened. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one.close();
  });
}

/** A broker with the topic `t` of one partition. */
export async function brokerWithTopic(options: DevBrokerOptions = {}): Promise<DevBroker> {
  const broker = await startDevBroker(options);
  open.push(broker);
  broker.createTopic(TP.topic);
  return broker;
}

export interface ClientUnderTest {
  readonly kafka: KafkaClient;
  /** Messages of warnings and errors that it logged. */
  readonly logged: readonly string[];
}

export function clientOf(broker: DevBroker, given: Readonly<Record<string, unknown>> = {}): ClientUnderTest {
  const logged: string[] = [];
  const keep = (_fields: object, message: string): void => void logged.push(message);
  const logger = Object.assign(Object.create(silentLogger) as Logger, { warn: keep, error: keep });
  const options = resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers, ...TIMEOUTS, ...given }, 'kafka');
  const kafka = connectKafka(options, { logger });
  open.push(kafka);
  return { kafka, logged };
}

export const numbers = (from: number, until: number, prefix = 'v'): string[] =>
  Array.from({ length: until - from }, (_, i) => `${prefix}${from + i}`);

/** One batch for each `perBatch` of the values. */
export async function produce(kafka: KafkaClient, values: readonly string[], perBatch = 10): Promise<void> {
  const producer = kafka.producer();
  for (let at = 0; at < values.length; at += perBatch) {
    await producer.send(
      TP.topic,
      values.slice(at, at + perBatch).map((value) => ({ value, partition: TP.partition })),
    );
  }
}

export interface ReadResult {
  readonly values: readonly (string | null)[];
  /** 'complete', or the code of the error that it ended in. */
  readonly end: string;
  readonly error: unknown;
  readonly ms: number;
}

/** Reads to the end, whichever it is; `between` is called after each chunk with the number of records so far. */
export async function read(
  kafka: KafkaClient,
  range: Omit<OffsetRange, 'topic' | 'partition'>,
  between: (records: number) => void = () => {},
): Promise<ReadResult> {
  const values: (string | null)[] = [];
  const began = systemClock.monotonic();
  const reader = kafka.reader(TP);
  let error: unknown;
  try {
    for await (const columns of reader.read({ ...TP, ...range }, { reuseColumns: true })) {
      for (let i = 0; i < columns.n; i++) values.push(columns.valueString(i));
      between(values.length);
    }
  } catch (thrown) {
    error = thrown;
  }
  await reader.close();
  return { values, end: endOf(error), error, ms: systemClock.monotonic() - began };
}

/** The code of the error that `run` ends in; 'complete' when in none. */
export async function endOfRun(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'complete';
  } catch (error) {
    return endOf(error);
  }
}

function endOf(error: unknown): string {
  if (error === undefined) return 'complete';
  return MillraceError.is(error) ? error.code : `not coded: ${messageOf(error)}`;
}

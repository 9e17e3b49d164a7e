import { messageOf } from '@millrace/common';
import { startDevBroker } from '@millrace/devbroker';
import { startJavaKafka } from './java-kafka.ts';

/** env: one that was started elsewhere; embedded: ours, in memory. */
export type BrokerKind = 'env' | 'testcontainers' | 'java' | 'embedded';

export interface KafkaUnderTest {
  /** Bootstrap list: `host:port,…`. */
  readonly brokers: string;
  readonly kind: BrokerKind;
  /** Ends it, when it was started by this call. */
  stop(): Promise<void>;
}

const STARTERS: ReadonlyArray<{
  readonly kind: BrokerKind;
  readonly start: () => Promise<Started | undefined>;
}> = [
  { kind: 'testcontainers', start: inContainer },
  { kind: 'java', start: inJava },
  { kind: 'embedded', start: embedded },
];

type Started = Pick<KafkaUnderTest, 'brokers' | 'stop'>;

/**
 * A Kafka for tests: the one that jest's global setup started, else KAFKA_BROKERS, else a container, else Java with jars from Maven,
 * else the embedded broker. Says on standard error which one it is. Use unique topic names: it may be shared.
 */
export async function kafkaUnderTest(): Promise<KafkaUnderTest> {
  const shared = process.env['KAFKA_TEST_BROKERS'];
  if (shared !== undefined && shared !== '') {
    return { brokers: shared, kind: sharedKind(), stop: async () => undefined };
  }
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    say(`KAFKA_BROKERS: ${given}`);
    return { brokers: given, kind: 'env', stop: async () => undefined };
  }
  for (const { kind, start } of STARTERS) {
    const started = await attempt(kind, start);
    if (started === undefined) continue;
    say(`${kind}: ${started.brokers}`);
    return { kind, ...started };
  }
  throw new Error('no Kafka could be started, not even the embedded broker');
}

async function attempt(
  kind: BrokerKind,
  start: () => Promise<Started | undefined>,
): Promise<Started | undefined> {
  try {
    return await start();
  } catch (error) {
    say(`not ${kind}: ${messageOf(error)}`);
    return undefined;
  }
}

async function inContainer(): Promise<Started | undefined> {
  // Loaded only now: testcontainers is large, and most machines of developers and CI do without it.
  const { answeringEngine, startContainerKafka } = await import('./container-kafka.ts');
  const engine = await answeringEngine();
  return engine === undefined ? undefined : await startContainerKafka(engine);
}

async function inJava(): Promise<Started> {
  const node = await startJavaKafka();
  return { brokers: node.brokers, stop: () => node.stop() };
}

async function embedded(): Promise<Started> {
  const broker = await startDevBroker();
  return { brokers: broker.brokers, stop: () => broker.close() };
}

function sharedKind(): BrokerKind {
  const kind = process.env['KAFKA_TEST_KIND'];
  return STARTERS.find((starter) => starter.kind === kind)?.kind ?? 'env';
}

function say(what: string): void {
  process.stderr.write(`Kafka under test: ${what}\n`);
}

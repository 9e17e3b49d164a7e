import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceError, resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient, topicPartitionKey } from '@millrace/kafka';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import {
  type Listener,
  SESSION_MS,
  type SecuredKafka,
  startSecuredKafka,
  USER,
} from '../brokers/secured-java-kafka.ts';
import { hasOpenssl, type TestCertificates, testCertificates } from '../brokers/test-certificates.ts';

const jars = await kafkaJars();
const openssl = await hasOpenssl();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;
const overTls = openssl ? it : it.skip;
const TLS = openssl ? 'TLS' : 'TLS (skipped: there is no openssl)';
const START_MS_MAX = 180_000;

let kafka: SecuredKafka;
let certificates: TestCertificates | undefined;
let directory: string;
const clients: KafkaClient[] = [];

function client(listener: Listener, given: Readonly<Record<string, unknown>> = {}): KafkaClient {
  const options = {
    brokers: kafka.at[listener],
    connectionTimeoutMs: 4000,
    requestTimeoutMs: 8000,
    ...given,
  };
  const made = connectKafka(resolveConfig(KAFKA_OPTIONS, options, 'kafka'));
  clients.push(made);
  return made;
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'nothing thrown';
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
}

/** Makes a topic, writes, asks for offsets and reads. */
async function roundTrip(through: KafkaClient): Promise<void> {
  const topic = `secured-${randomUUID()}`;
  const tp = { topic, partition: 0 };
  await through.createTopic(topic, { partitions: 1 });
  // Some hundred KiB: more than one TLS record and one read of a socket.
  const values = Array.from({ length: 300 }, (_, i) => `${i} ${'x'.repeat(2000)}`);
  await through.producer().send(
    topic,
    values.map((value) => ({ value, partition: 0 })),
  );
  expect((await through.listOffsets([tp], 'latest')).get(topicPartitionKey(tp))?.offset).toBe(300);
  const read: (string | null)[] = [];
  for await (const c of through
    .reader(tp)
    .read({ ...tp, fromOffset: 0, untilOffset: 300 }, { reuseColumns: true })) {
    for (let i = 0; i < c.n; i++) read.push(c.valueString(i));
  }
  expect(read).toEqual(values);
}

suite(`a secured Apache Kafka${why}`, () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-certificates-'));
    certificates = openssl ? await testCertificates(directory) : undefined;
    kafka = await startSecuredKafka(certificates);
  }, START_MS_MAX);

  afterAll(async () => {
    for (const one of clients) await one.close();
    await kafka?.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
    it(`is written and read with SASL ${mechanism}`, async () => {
      await roundTrip(client('SASL_PLAINTEXT', { sasl: { mechanism, ...USER } }));
    });

    it(`refuses a wrong password with KAFKA_AUTH in time (SASL ${mechanism})`, async () => {
      const began = performance.now();
      const refused = client('SASL_PLAINTEXT', { sasl: { mechanism, ...USER, password: 'wrong' } });
      expect(await codeOf(refused.topics())).toBe('KAFKA_AUTH');
      expect(await codeOf(refused.producer().send('t', [{ value: 'x' }]))).toBe('KAFKA_AUTH');
      expect(performance.now() - began).toBeLessThan(8000);
    });
  }

  overTls(`is written and read over ${TLS}, with and without a client certificate and SASL`, async () => {
    const { ca, clientCert: cert, clientKey: key } = certificates as TestCertificates;
    await roundTrip(client('SSL', { ssl: { ca } }));
    await roundTrip(client('MTLS', { ssl: { ca, cert, key } }));
    await roundTrip(client('SASL_SSL', { ssl: { ca }, sasl: { mechanism: 'scram-sha-512', ...USER } }));
  });

  overTls(
    `is not trusted over ${TLS} when its certificate or ours is wrong: a coded error in time`,
    async () => {
      const { ca } = certificates as TestCertificates;
      const began = performance.now();
      expect(await codeOf(client('SSL', { ssl: true }).topics())).toBe('KAFKA_AUTH');
      const misnamed = client('SSL', { ssl: { ca, servername: 'other.example' } });
      expect(await codeOf(misnamed.topics())).toBe('KAFKA_AUTH');
      expect(['KAFKA_AUTH', 'KAFKA_UNREACHABLE']).toContain(
        await codeOf(client('MTLS', { ssl: { ca } }).topics()),
      );
      expect(performance.now() - began).toBeLessThan(10_000);
    },
  );

  overTls(`ends in a coded error in time when only one side speaks ${TLS} or SASL`, async () => {
    const { ca } = certificates as TestCertificates;
    const given = { requestTimeoutMs: 3000, connectionTimeoutMs: 2000 };
    const mismatched = [
      client('SSL', given),
      client('PLAINTEXT', { ...given, ssl: { ca } }),
      client('SASL_PLAINTEXT', given),
    ];
    for (const one of mismatched) {
      const began = performance.now();
      expect(await codeOf(one.topics())).toBe('KAFKA_UNREACHABLE');
      expect(performance.now() - began).toBeLessThan(5000);
    }
  });

  it('renews its sessions under reads and sends in flight, on the same connections', async () => {
    const renewing = client('SASL_PLAINTEXT', {
      sasl: { mechanism: 'scram-sha-256', ...USER },
      fetchBytesMax: 1,
      fetchWaitMs: 300,
    });
    const topic = `renewed-${randomUUID()}`;
    await renewing.createTopic(topic, { partitions: 2 });
    await renewing.producer().send(topic, [{ value: 'open', partition: 1 }]);
    const tp = { topic, partition: 0 };
    let sockets = 0;
    const count = (): void => void sockets++;
    subscribe('net.client.socket', count);
    const until = performance.now() + 3.5 * SESSION_MS;
    let sent = 0;
    const isRead = new AbortController();
    const sending = (async () => {
      // What the last range waits for is still to be sent.
      while (!isRead.signal.aborted)
        await renewing.producer().send(topic, [{ value: `v${sent++}`, partition: 0 }]);
    })();
    const read: (string | null)[] = [];
    const reading = (async () => {
      const reader = renewing.reader(tp);
      while (performance.now() < until) {
        // Beyond the end now and then: a fetch waits at the broker.
        const range = { ...tp, fromOffset: read.length, untilOffset: read.length + 3 };
        for await (const c of reader.read(range)) for (let i = 0; i < c.n; i++) read.push(c.valueString(i));
      }
    })().finally(() => isRead.abort());
    await Promise.all([sending, reading]).finally(() => unsubscribe('net.client.socket', count));
    expect(read).toEqual(Array.from({ length: read.length }, (_, i) => `v${i}`));
    expect(read.length).toBeGreaterThan(100);
    // The one for fetches: no connection was lost.
    expect(sockets).toBe(1);
  }, 60_000);
});

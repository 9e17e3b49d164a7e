import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Logger, randomInt, seededRandom, silentLogger } from '@millrace/common';
import { encodeRecordBatch, KAFKA_ERROR, WireReader, WireWriter } from '@millrace/kafka';
import { apiTable } from '../src/api-table.ts';
import { type DevBroker, startDevBroker } from '../src/index.ts';
import { RawClient } from './raw-client.ts';

let broker: DevBroker;
const failures: unknown[] = [];

beforeAll(async () => {
  const error = (...fields: unknown[]) => void failures.push(fields);
  broker = await startDevBroker({ logger: Object.assign(Object.create(silentLogger) as Logger, { error }) });
  broker.createTopic('t', { partitions: 2 });
});

afterAll(async () => {
  await broker.close();
});

async function alive(): Promise<void> {
  const client = await RawClient.connect(broker.brokers);
  const { apis } = await client.send<{ apis: readonly object[] }>('ApiVersions', 3, {
    clientSoftwareName: 'test',
    clientSoftwareVersion: '1',
  });
  expect(apis).toHaveLength(apiTable().length);
  client.close();
}

function header(apiKey: number, version: number, flexible = false): WireWriter {
  const writer = new WireWriter().int16(apiKey).int16(version).int32(99).nullableString('test');
  return flexible ? writer.taggedFields() : writer;
}

describe('the protocol of the embedded broker', () => {
  it('answers an ApiVersions of the future in v0, with the table', async () => {
    const client = await RawClient.connect(broker.brokers);
    client.postFrame(header(18, 77).finish());
    const reader = new WireReader(await client.nextFrame());
    expect([reader.int32(), reader.int16(), reader.int32()]).toEqual([99, 35, apiTable().length]);
    // The connection goes on: the client asks again in a version that it found.
    expect(await client.send('ApiVersions', 2, {})).toMatchObject({ errorCode: 0 });
    client.close();
  });

  it('closes the connection on an API or a version that it does not know, as Kafka does', async () => {
    for (const [key, version] of [
      [999, 0],
      [1, 99],
      [0, 2],
    ] as const) {
      const client = await RawClient.connect(broker.brokers);
      client.postFrame(header(key, version).finish());
      await client.closed();
    }
    await alive();
  });

  it('closes the connection on a frame that is too long, and on HTTP', async () => {
    for (const bytes of [Buffer.from([0x7f, 0xff, 0xff, 0xff]), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
      const client = await RawClient.connect(broker.brokers);
      client.socket.write(bytes);
      await client.closed();
    }
    await alive();
  });

  it('survives random bytes after every header, and closes or answers', async () => {
    const random = seededRandom(42);
    for (const api of apiTable()) {
      for (let version = api.minVersion; version <= api.maxVersion; version++) {
        const body = Buffer.alloc(randomInt(random, 60));
        for (let at = 0; at < body.length; at++) body[at] = randomInt(random, at % 3 === 0 ? 256 : 3);
        const frame = header(api.key, version, version >= api.flexibleFrom)
          .raw(body)
          .finish();
        const client = await RawClient.connect(broker.brokers);
        client.postFrame(Buffer.from(frame));
        client.socket.end();
        await client.closed();
      }
    }
    await alive();
    expect(failures).toEqual([]);
  });

  it('answers requests of one connection in their order, also when they come at once', async () => {
    const client = await RawClient.connect(broker.brokers);
    for (let i = 0; i < 50; i++) client.post(i % 2 === 0 ? 'ListGroups' : 'ApiVersions', 0, {});
    for (let i = 1; i <= 50; i++) expect((await client.nextFrame()).readInt32BE(0)).toBe(i);
    client.close();
  });

  it('does not answer a produce request with acks=0, and appends it', async () => {
    const client = await RawClient.connect(broker.brokers);
    const records = encodeRecordBatch([{ value: 'a' }], { now: 1 });
    const topics = [{ name: 't', partitions: [{ index: 1, records }] }];
    client.post('Produce', 7, { transactionalId: null, acks: 0, timeoutMs: 1000, topics });
    await client.send('ApiVersions', 0, {});
    expect(broker.offsets({ topic: 't', partition: 1 }).logEndOffset).toBe(1);
    client.close();
  });

  it('creates topics on demand only when it is told to', async () => {
    const creating = await startDevBroker({ autoCreateTopics: 3 });
    for (const [brokers, errorCode, partitions] of [
      [broker.brokers, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, 0],
      [creating.brokers, 0, 3],
    ] as const) {
      const client = await RawClient.connect(brokers);
      const { topics } = await client.send<{ topics: [{ errorCode: number; partitions: object[] }] }>(
        'Metadata',
        9,
        { topics: [{ name: 'new' }], allowAutoTopicCreation: true },
      );
      expect(topics[0].errorCode).toBe(errorCode);
      expect(topics[0].partitions).toHaveLength(partitions);
      client.close();
    }
    await creating.close();
  });

  it('frees its port when it is closed, and closing twice is harmless', async () => {
    const other = await startDevBroker();
    const port = Number(other.brokers.split(':')[1]);
    await expect(startDevBroker({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    const client = await RawClient.connect(other.brokers);
    await Promise.all([other.close(), other.close()]);
    await client.closed();
    const socket = connect({ port, host: '127.0.0.1' });
    const failure = await new Promise((resolve) => socket.once('error', resolve));
    expect(failure).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

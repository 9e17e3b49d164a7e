// A broadcast on a real executor: what goes over the wire is counted.
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type DevBroker, produce, startDevBroker } from '@millrace/testing';
import { TestCluster } from '../support/test-cluster.ts';

const TIMEOUT_MS = 60_000;
const SIZE = 4_000_000;
const SLOTS = 3;

let broker: DevBroker;
let cluster: TestCluster;
let relay: Server;
const sockets = new Set<Socket>();
let received = 0;

beforeAll(async () => {
  broker = await startDevBroker();
  broker.createTopic('shared', { partitions: SLOTS });
  await produce(
    broker.brokers,
    'shared',
    Array.from({ length: SLOTS }, (_, partition) => ({ partition, value: 'x' })),
  );
  cluster = await TestCluster.start(broker.brokers, 0);
  const [host = '', port = ''] = cluster.address.split(':');
  relay = createServer((executor) => {
    const driver = connect(Number(port), host);
    for (const socket of [executor, driver]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [executor, driver].map((each) => each.destroy()));
    }
    driver.on('data', (chunk) => {
      received += chunk.length;
    });
    executor.pipe(driver).pipe(executor);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  await cluster.startExecutor(['--driver', address, '--slots', String(SLOTS)]);
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster?.close();
  for (const socket of sockets) socket.destroy();
  relay?.close();
  await broker?.close();
}, TIMEOUT_MS);

it(
  'a broadcast comes to an executor once, whatever its slots and batches; and it is gone when it is destroyed',
  async () => {
    const journal = join(cluster.directory, 'broadcast');
    const before = received;
    const job = cluster.submit('../per-executor/jobs/broadcast-job', {
      TOPIC: 'shared',
      JOURNAL: journal,
      SIZE: String(SIZE),
    });
    expect([await job.exited, job.stderr]).toEqual([0, expect.any(String)]);
    const lines = readFileSync(journal, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const [first, second, third, destroyed] = lines as [unknown[][], unknown[][], unknown[][], string];
    // Each slot has one value, for all of its tasks.
    for (const rows of [first, second, third]) {
      expect(rows.map(([, ...rest]) => rest)).toEqual(rows.map(() => [SIZE, 'Germany', true]));
      expect(new Set(rows.map(([pid]) => pid)).size).toBe(SLOTS);
    }
    expect(received - before).toBeGreaterThan(SIZE);
    expect(received - before).toBeLessThan(1.5 * SIZE);
    expect(destroyed).toBe('BLOCK_MISSING');
  },
  TIMEOUT_MS,
);

import { describe, expect, it } from '@jest/globals';
import { contentHash, hello, type LaunchTask } from '@millrace/proto';
import { bundleOf, until } from './driver-fixture.ts';
import { fakeBlocks } from './fake-executor.ts';
import { useDrivers } from './use-drivers.ts';

const { driverWith, executor, onEnd } = useDrivers();

describe('running tasks', () => {
  it('runs batches on executors, and forwards bytes unread', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0', slots: 2 });
    await client.submit({ name: 'app', tasks: 4, batches: 3 });
    await client.events('app', 0, (event) => event.batchCompleted?.number === 3);
    expect(worker.launched.length).toBe(12);
    const [first] = worker.launched;
    expect(first?.stage.toString()).toBe('stage');
    expect(first?.task.toString()).toMatch(/^task \d$/);
    // A stage is sent once, not with each of its tasks.
    expect(worker.launched.map(({ stage }) => stage.length > 0)).toEqual(
      [1, 2, 3].flatMap(() => [true, false, false, false]),
    );
    expect(await client.status('app')).toMatchObject({ batches: 3, records: 96, lag: 3, lastBatchTime: 300 });
  });

  it('reruns elsewhere what ran on an executor that died', async () => {
    const { driver, client } = await driverWith();
    const dying = executor({ address: driver.address, id: 'e0', run: () => undefined });
    const living = executor({ address: driver.address, id: 'e1' });
    await until('both executors', () => driver.slots === 2);
    await client.submit({ name: 'app', tasks: 4, batches: 1 });
    await until('a task on it', () => dying.launched.length > 0);
    dying.kill();
    const events = await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    const told = events.filter(({ notice }) => notice?.text === 'attempt failed: EXECUTOR_LOST').at(-1);
    const { lastNotice } = await client.status('app');
    expect(lastNotice).toEqual({ level: 'warn', text: 'attempt failed: EXECUTOR_LOST', at: told?.at });
    const again = living.launched.find(({ key }) => key?.partition === dying.launched[0]?.key?.partition);
    expect(again?.key?.attempt).toBe(1);
  });

  it('loses an executor that is silent, and tells it so', async () => {
    const { driver } = await driverWith({ executorTimeoutMs: 300, heartbeatIntervalMs: 50 });
    const silent = executor({ address: driver.address, id: 'e0', silent: true });
    await until('registration', () => driver.slots === 1);
    await until('its loss', () => driver.slots === 0 && silent.ended, 2_000);
  });

  it('refuses an executor of another version, and an id that is taken', async () => {
    const { driver } = await driverWith();
    const old = executor({
      address: driver.address,
      id: 'old',
      register: { hello: { ...hello(), nodeMajor: 12 } },
    });
    await until('the refusal', () => old.received.length > 0);
    expect(old.received[0]?.refused?.error?.code).toBe('VERSION_MISMATCH');
    executor({ address: driver.address, id: 'e0' });
    await until('registration', () => driver.slots === 1);
    const twin = executor({ address: driver.address, id: 'e0', register: { pid: 1 } });
    await until('the refusal', () => twin.received.length > 0);
    expect(twin.received[0]?.refused?.error?.code).toBe('BAD_REQUEST');
    expect(driver.slots).toBe(1);
  });

  it('fetches a large result and drops its block; one that is too large fails the set', async () => {
    const { driver, client } = await driverWith({ resultBytesMax: 3_000_000 });
    const blocks = await fakeBlocks(new Uint8Array(2_500_000));
    onEnd(() => blocks.server.close());
    const { address: blockAddress } = blocks;
    let bytes = 2_500_000;
    const run = (launch: LaunchTask) => ({
      resultBlock: { blockId: `b-${launch.key?.partition}`, bytes, blockAddress },
    });
    const worker = executor({ address: driver.address, id: 'e0', run });
    await client.submit({ name: 'app', tasks: 1, batches: 1 });
    await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    expect((await client.status('app')).records).toBe(2_500_000);
    await until('the drop', () =>
      worker.received.some(({ dropBlocks }) => dropBlocks?.blockIds[0] === 'b-0'),
    );
    bytes = 4_000_000;
    await client.submit({ name: 'large', tasks: 1, batches: 1 });
    const events = await client.events('large');
    expect(events.at(-1)?.state?.error?.code).toBe('RESULT_TOO_LARGE');
  });

  it('tells hosts where the blocks of a task are, and executors to drop what a batch of theirs shuffled', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0', register: { blockAddress: 'far:7' } });
    await client.submit({ name: 'app', does: 'print-places', tasks: 1, batches: 1, dropsShuffle: true });
    await client.events('app', 0, ({ batchCompleted }) => batchCompleted?.number === 1);
    await until('the place', async () =>
      (await client.logs('app')).some((line) => line.endsWith('e0 at far:7')),
    );
    const prefixes = worker.received.flatMap(({ dropBlocks }) => (dropBlocks ? [dropBlocks.prefix] : []));
    expect(prefixes).toEqual(['shuffle/app/1/100/']);
  });

  it('serves programs and blobs by hash, and drops what an epoch left when its host ends', async () => {
    const { driver, client } = await driverWith();
    const worker = executor({ address: driver.address, id: 'e0' });
    const job = { name: 'app', blob: 'b'.repeat(64), tasks: 1, pauseMs: 1000 };
    await client.submit(job);
    await client.events('app', 0, ({ output }) => output?.text.startsWith('blob') === true);
    const content = async (hash: string): Promise<Buffer> => {
      const parts: Buffer[] = [];
      const call = client.channel.programs.get({ hash });
      for await (const { data } of call as AsyncIterable<{ data: Buffer }>) parts.push(data);
      return Buffer.concat(parts);
    };
    expect((await content(job.blob)).toString()).toBe('content of a broadcast');
    const archive = bundleOf(job);
    expect((await content(contentHash(archive))).equals(archive)).toBe(true);
    await expect(content('../../driver.lock')).rejects.toThrow(/PROGRAM_MISSING/);
    await client.stop('app', 'KILL');
    await expect(content(job.blob)).rejects.toThrow(/PROGRAM_MISSING/);
    await until('the drop', () =>
      worker.received.some(({ dropApplication }) => dropApplication?.belowEpoch === 2),
    );
  });
});

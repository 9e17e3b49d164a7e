// An executor and its link to the driver: it breaks, and the driver starts again.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { clientChannel } from '@millrace/proto';
import { errorOf, resultOf, useExecutorBench } from '../test/executor-bench.ts';
import { launchOf, TestDriver } from '../test/test-driver.ts';

const bench = useExecutorBench();

describe('an executor', () => {
  beforeEach(() => bench.startReady());

  it('attaches again when the driver does not know it, and when the link breaks; old tasks end unreported', async () => {
    const old = launchOf('() => { while (true) {} }', bench.driver.program());
    bench.driver.send({ launch: { tasks: [old] } });
    await bench.driver.until(
      () => bench.driver.heartbeats.at(-1)?.request.slots[0]?.busy === true,
      'a busy slot',
    );
    bench.driver.forget();
    await bench.driver.until(() => bench.driver.registers.length === 2, 'the second registration');
    expect(resultOf(await bench.run('() => 8'))).toBe(8);
    bench.driver.dropLink();
    await bench.driver.until(() => bench.driver.registers.length === 3, 'the third registration');
    expect(resultOf(await bench.run('() => 9'))).toBe(9);
    expect(bench.driver.ended.map((ended) => ended.key?.partition)).not.toContain(old.key.partition);
  });

  it('finds the driver again after its restart', async () => {
    const { port } = bench.driver;
    await bench.driver.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = bench.driver;
    await bench.listen(new TestDriver({ port, driverId: 'd-2' }));
    await bench.driver.until(() => bench.driver.registers.length === 1, 'the registration', 5_000);
    expect(bench.driver.registers[0]?.executorId).toBe(before.registers[0]?.executorId);
    expect(resultOf(await bench.run('() => 1'))).toBe(1);
  });

  it('serves a driver that knows nothing of earlier epochs: another state directory, say', async () => {
    const { port } = bench.driver;
    await bench.run('() => 1', { key: { epoch: 7 } });
    await bench.driver.close();
    await bench.listen(new TestDriver({ port, driverId: 'd-2' }));
    await bench.driver.until(() => bench.driver.registers.length === 1, 'the registration', 5_000);
    expect(resultOf(await bench.run('() => 2', { key: { epoch: 1 } }))).toBe(2);
  });

  it('forgets large results with its link: the driver counts their tasks as lost', async () => {
    const ended = await bench.run('() => Buffer.alloc(3 * 1024 * 1024, 7)');
    const blockId = ended.resultBlock?.blockId ?? '';
    bench.driver.dropLink();
    await bench.driver.until(() => bench.driver.registers.length === 2, 'the second registration');
    const channel = clientChannel({ address: ended.resultBlock?.blockAddress ?? '' });
    bench.atEnd(() => channel.close());
    const fetch = async (): Promise<void> => {
      for await (const _ of channel.blocks.fetch({ blockIds: [blockId] }));
    };
    await expect(fetch()).rejects.toMatchObject({ details: expect.stringContaining('BLOCK_MISSING') });
  });

  it('keeps its link whatever a lambda throws', async () => {
    const error = errorOf(await bench.run('() => { throw new Error("x".repeat(40_000_000)) }'));
    expect(error).toMatchObject({ code: 'USER_CODE', what: expect.stringMatching(/^xxx/) });
    expect(error.message.length).toBeLessThan(100_000);
    expect(bench.driver.registers).toHaveLength(1);
  });
});

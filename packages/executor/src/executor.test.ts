import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { clientChannel, collectChunks } from '@millrace/proto';
import { errorOf, MIB, resultOf, useExecutorBench } from '../test/executor-bench.ts';
import { launchOf, TestDriver } from '../test/test-driver.ts';
import type { Executor } from './executor.ts';

const bench = useExecutorBench();
let executor: Executor;

describe('an executor', () => {
  beforeEach(async () => {
    executor = await bench.startReady();
  });

  it('registers with what the driver must know, and says which slots are ready', async () => {
    expect(bench.driver.registers).toHaveLength(1);
    expect(bench.driver.registers[0]).toMatchObject({
      executorId: executor.id,
      host: 'host-1',
      slots: 1,
      pid: process.pid,
      blockAddress: executor.blockAddress,
    });
    expect(bench.driver.readySlots[0]).toEqual([0]);
  });

  it('runs a task in another process, and reports once with metrics and context', async () => {
    const ended = await bench.run(
      '({ records, task }) => [records, process.pid, task.offsetRange.untilOffset, task.executorId]',
    );
    const [records, pid, until, id] = resultOf(ended) as [number, number, number, string];
    expect([records, until, id]).toEqual([10, 110, executor.id]);
    expect(pid).not.toBe(process.pid);
    expect(ended.metrics).toMatchObject({ records: 10, consumerCached: false });
    expect((await bench.run('() => 1')).metrics?.consumerCached).toBe(true);
    expect(bench.driver.ended).toHaveLength(2);
  });

  it('fetches a program once', async () => {
    const source = '() => 7';
    const hash = bench.driver.program('once');
    for (let i = 0; i < 3; i++) expect(resultOf(await bench.driver.task(launchOf(source, hash)))).toBe(7);
    expect(bench.driver.fetched).toEqual([hash]);
  });

  it('does not open what the driver sent damaged, and says so', async () => {
    const hash = bench.driver.program('good');
    bench.driver.contents.set(hash, Buffer.from('something else'));
    expect(errorOf(await bench.driver.task(launchOf('() => 1', hash)))).toMatchObject({
      code: 'BAD_REQUEST',
      retryable: true,
      details: { topic: 'views', partition: 3, fromOffset: 100, untilOffset: 110 },
    });
    expect(errorOf(await bench.driver.task(launchOf('() => 1', 'f'.repeat(64)))).code).toBe(
      'PROGRAM_MISSING',
    );
  });

  it('reports what a lambda throws as USER_CODE with topic, partition and offsets', async () => {
    const ended = await bench.run('() => { throw new TypeError("x is not y") }');
    expect(ended.failure?.kind).toBe('user');
    expect(errorOf(ended)).toMatchObject({
      code: 'USER_CODE',
      details: { topic: 'views', partition: 3, fromOffset: 100, untilOffset: 110 },
    });
  });

  it('runs no task twice, and none of an older epoch', async () => {
    const launch = launchOf(
      'async () => { await new Promise((r) => setTimeout(r, 300)); return 1 }',
      bench.driver.program(),
    );
    bench.driver.send({ launch: { tasks: [launch] } });
    bench.driver.send({ launch: { tasks: [launch] } });
    await bench.driver.outcomeOf(launch.key);
    // Also when it has ended.
    bench.driver.send({ launch: { tasks: [launch] } });
    await bench.run('() => 1', { key: { epoch: 5 } });
    bench.driver.send({
      launch: { tasks: [launchOf('() => 2', bench.driver.program(), { key: { epoch: 4 } })] },
    });
    await bench.run('() => 3', { key: { epoch: 5 } });
    expect(bench.driver.ended).toHaveLength(3);
  });

  it('runs a launch without a stage with that of the launch before', async () => {
    const hash = bench.driver.program();
    expect(resultOf(await bench.driver.task(launchOf('() => 21', hash)))).toBe(21);
    const { stage: _, ...launch } = launchOf('() => 22', hash);
    expect(resultOf(await bench.driver.task(launch))).toBe(21);
  });

  it('keeps a large result as a block until it is dropped', async () => {
    const ended = await bench.run('() => Buffer.alloc(3 * 1024 * 1024, 7)');
    expect(ended.resultBlock).toMatchObject({ bytes: 3 * MIB, blockAddress: executor.blockAddress });
    const channel = clientChannel({ address: ended.resultBlock?.blockAddress ?? '' });
    bench.atEnd(() => channel.close());
    const fetch = async (): Promise<Buffer> => {
      async function* data(): AsyncGenerator<Uint8Array> {
        for await (const chunk of channel.blocks.fetch({ blockIds: [ended.resultBlock?.blockId ?? ''] }))
          yield (chunk as { data: Buffer }).data;
      }
      return collectChunks(data(), { bytesMax: 4 * MIB, what: 'block' });
    };
    expect((await fetch()).equals(Buffer.alloc(3 * MIB, 7))).toBe(true);
    bench.driver.send({ dropBlocks: { blockIds: [ended.resultBlock?.blockId ?? ''] } });
    await bench.run('() => 1');
    await expect(fetch()).rejects.toMatchObject({ details: expect.stringContaining('BLOCK_MISSING') });
  });

  it('kills a task that does not stop when it is asked to, and lets one stop that does', async () => {
    const before = await bench.slotPid();
    const polite = launchOf(
      '({ signal }) => new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason)))',
      bench.driver.program(),
    );
    bench.driver.send({ launch: { tasks: [polite] } });
    await bench.driver.until(
      () => bench.driver.heartbeats.at(-1)?.request.slots[0]?.busy === true,
      'a busy slot',
    );
    bench.driver.send({ kill: { key: polite.key, reason: 'batch cancelled' } });
    const stopped = await bench.driver.outcomeOf(polite.key);
    expect(stopped.failure?.kind).toBe('cancelled');
    expect(await bench.slotPid()).toBe(before);
    // It says when it has begun: a kill that comes before that stops it politely.
    const begun = join(mkdtempSync(join(tmpdir(), 'millrace-deaf-')), 'begun');
    bench.atEnd(() => rmSync(dirname(begun), { recursive: true }));
    const deaf = launchOf(
      `() => { process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(begun)}, ''); while (true) {} }`,
      bench.driver.program(),
    );
    bench.driver.send({ launch: { tasks: [deaf] } });
    await bench.driver.until(() => existsSync(begun), 'a task that is deaf');
    bench.driver.send({ kill: { key: deaf.key, reason: 'batch cancelled' } });
    expect(errorOf(await bench.driver.outcomeOf(deaf.key))).toMatchObject({
      code: 'TASK_KILLED',
      what: expect.stringContaining('batch cancelled'),
    });
    expect(await bench.slotPid()).not.toBe(before);
  });

  it('removes what a slot that was killed had on disk', async () => {
    const spilling = `async () => {
      const { spillDirectory } = JSON.parse(process.env.MILLRACE_SHUFFLE);
      process.getBuiltinModule('fs').mkdirSync(spillDirectory + '/' + process.env.MILLRACE_SLOT + '-' + process.pid + '/0', { recursive: true });
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    }`;
    expect(errorOf(await bench.run(spilling))).toMatchObject({ code: 'SLOT_LOST' });
    const [own = ''] = readdirSync(bench.workDir);
    await bench.driver.until(
      () => readdirSync(join(bench.workDir, own, 'spill')).length === 0,
      'an empty spill directory',
    );
  });

  it('says that a slot is not ready before it says how its task ended', async () => {
    bench.driver.readySlots.length = 0;
    const seen: string[] = [];
    const ended = bench.run('() => process.exit(3)');
    await bench.driver.until(
      () => bench.driver.ended.length > 0 && seen.push(JSON.stringify(bench.driver.readySlots)),
      'the end',
    );
    await ended;
    expect(seen[0]).toBe('[[]]');
    await bench.driver.until(
      () => bench.driver.readySlots.some((ready) => ready.length === 1),
      'the new slot',
    );
  });

  it('drains: finishes what runs, takes nothing new, leaves', async () => {
    const slow = launchOf(
      'async () => { await new Promise((r) => setTimeout(r, 400)); return 4 }',
      bench.driver.program(),
    );
    bench.driver.send({ launch: { tasks: [slow] } });
    bench.driver.readySlots.length = 0;
    bench.driver.send({ drain: { timeoutMs: 5_000 } });
    const late = launchOf('() => 5', bench.driver.program());
    bench.driver.send({ launch: { tasks: [late] } });
    expect(resultOf(await bench.driver.outcomeOf(slow.key))).toBe(4);
    expect(errorOf(await bench.driver.outcomeOf(late.key)).code).toBe('TASK_REFUSED');
    await executor.ended;
    expect([bench.driver.readySlots[0], bench.driver.left]).toEqual([[], 1]);
    expect(readdirSync(bench.workDir)).toEqual([]);
  });
});

describe('starting', () => {
  it('ends when the first driver refuses it', async () => {
    const guarded = new TestDriver({ token: 'right' });
    bench.atEnd(() => guarded.close());
    const refused = await bench.start({ token: 'wrong' }, await guarded.listen());
    await expect(refused.registered).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(refused.ended).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('does not need a driver', async () => {
    await bench.start({}, 'localhost:1');
  });

  it('refuses bad options all at once, and a block port open to everybody', async () => {
    await expect(bench.start({ slots: 0, slotz: 1 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      what: expect.stringMatching(/slotz.*did you mean "slots"[\s\S]*"slots"/),
    });
    await expect(bench.start({ blockHost: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

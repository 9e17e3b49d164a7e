import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deserialize } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { clientChannel, collectChunks, failureFromWire, type TaskEnded } from '@millrace/proto';
import { launchOf, TestDriver } from '../test/test-driver.ts';
import { type Executor, startExecutor } from './executor.ts';

const slotMain = new URL('../test/fixture-slot.ts', import.meta.url);
const MIB = 1024 * 1024;
const cleanups: Array<() => unknown> = [];
let driver: TestDriver;
let executor: Executor;
let workDir: string;

async function start(options: object = {}, address?: string): Promise<Executor> {
  const given = {
    driver: address ?? `localhost:${driver.port}`,
    host: 'host-1',
    slots: 1,
    workDir,
    slotMemoryBytesMax: 256 * MIB,
    ...options,
  };
  const started = await startExecutor(given, { log: silentLogger, slotMain });
  cleanups.push(() => started.stop());
  return started;
}

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'millrace-executor-test-'));
  cleanups.push(() => rmSync(workDir, { recursive: true, force: true }));
  driver = new TestDriver();
  cleanups.push(() => driver.close());
  await driver.listen();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const errorOf = (ended: TaskEnded) => failureFromWire(ended.failure ?? {});
const resultOf = (ended: TaskEnded): unknown => {
  if (!ended.result) throw errorOf(ended);
  return deserialize(ended.result);
};
const run = async (source: string, given: object = {}): Promise<TaskEnded> =>
  driver.task(launchOf(source, driver.program(), given));
const slotPid = async (): Promise<number> => resultOf(await run('() => process.pid')) as number;

describe('an executor', () => {
  beforeEach(async () => {
    executor = await start();
    await driver.until(() => driver.readySlots.length > 0, 'SlotsChanged');
  });

  it('registers with what the driver must know, and says which slots are ready', async () => {
    expect(driver.registers).toHaveLength(1);
    expect(driver.registers[0]).toMatchObject({
      executorId: executor.id,
      host: 'host-1',
      slots: 1,
      pid: process.pid,
      blockAddress: executor.blockAddress,
    });
    expect(driver.readySlots[0]).toEqual([0]);
  });

  it('runs a task in another process, and reports once with metrics and context', async () => {
    const ended = await run(
      '({ records, task }) => [records, process.pid, task.offsetRange.untilOffset, task.executorId]',
    );
    const [records, pid, until, id] = resultOf(ended) as [number, number, number, string];
    expect([records, until, id]).toEqual([10, 110, executor.id]);
    expect(pid).not.toBe(process.pid);
    expect(ended.metrics).toMatchObject({ records: 10, consumerCached: false });
    expect((await run('() => 1')).metrics?.consumerCached).toBe(true);
    expect(driver.ended).toHaveLength(2);
  });

  it('fetches a program once', async () => {
    const source = '() => 7';
    const hash = driver.program('once');
    for (let i = 0; i < 3; i++) expect(resultOf(await driver.task(launchOf(source, hash)))).toBe(7);
    expect(driver.fetched).toEqual([hash]);
  });

  it('does not open what the driver sent damaged, and says so', async () => {
    const hash = driver.program('good');
    driver.contents.set(hash, Buffer.from('something else'));
    expect(errorOf(await driver.task(launchOf('() => 1', hash)))).toMatchObject({
      code: 'BAD_REQUEST',
      retryable: true,
      details: { topic: 'views', partition: 3, fromOffset: 100, untilOffset: 110 },
    });
    expect(errorOf(await driver.task(launchOf('() => 1', 'f'.repeat(64)))).code).toBe('PROGRAM_MISSING');
  });

  it('reports what a lambda throws as USER_CODE with topic, partition and offsets', async () => {
    const ended = await run('() => { throw new TypeError("x is not y") }');
    expect(ended.failure?.kind).toBe('user');
    expect(errorOf(ended)).toMatchObject({
      code: 'USER_CODE',
      details: { topic: 'views', partition: 3, fromOffset: 100, untilOffset: 110 },
    });
  });

  it('runs no task twice, and none of an older epoch', async () => {
    const launch = launchOf(
      'async () => { await new Promise((r) => setTimeout(r, 300)); return 1 }',
      driver.program(),
    );
    driver.send({ launch: { tasks: [launch] } });
    driver.send({ launch: { tasks: [launch] } });
    await driver.outcomeOf(launch.key);
    // Also when it has ended.
    driver.send({ launch: { tasks: [launch] } });
    await run('() => 1', { key: { epoch: 5 } });
    driver.send({ launch: { tasks: [launchOf('() => 2', driver.program(), { key: { epoch: 4 } })] } });
    await run('() => 3', { key: { epoch: 5 } });
    expect(driver.ended).toHaveLength(3);
  });

  it('runs a launch without a stage with that of the launch before', async () => {
    const hash = driver.program();
    expect(resultOf(await driver.task(launchOf('() => 21', hash)))).toBe(21);
    const { stage: _, ...launch } = launchOf('() => 22', hash);
    expect(resultOf(await driver.task(launch))).toBe(21);
  });

  it('keeps a large result as a block until it is dropped', async () => {
    const ended = await run('() => Buffer.alloc(3 * 1024 * 1024, 7)');
    expect(ended.resultBlock).toMatchObject({ bytes: 3 * MIB, blockAddress: executor.blockAddress });
    const channel = clientChannel({ address: ended.resultBlock?.blockAddress ?? '' });
    cleanups.push(() => channel.close());
    const fetch = async (): Promise<Buffer> => {
      async function* data(): AsyncGenerator<Uint8Array> {
        for await (const chunk of channel.blocks.fetch({ blockIds: [ended.resultBlock?.blockId ?? ''] }))
          yield (chunk as { data: Buffer }).data;
      }
      return collectChunks(data(), { bytesMax: 4 * MIB, what: 'block' });
    };
    expect((await fetch()).equals(Buffer.alloc(3 * MIB, 7))).toBe(true);
    driver.send({ dropBlocks: { blockIds: [ended.resultBlock?.blockId ?? ''] } });
    await run('() => 1');
    await expect(fetch()).rejects.toMatchObject({ details: expect.stringContaining('BLOCK_MISSING') });
  });

  it('kills a task that does not stop when it is asked to, and lets one stop that does', async () => {
    const before = await slotPid();
    const polite = launchOf(
      '({ signal }) => new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason)))',
      driver.program(),
    );
    driver.send({ launch: { tasks: [polite] } });
    await driver.until(() => driver.heartbeats.at(-1)?.request.slots[0]?.busy === true, 'a busy slot');
    driver.send({ kill: { key: polite.key, reason: 'batch cancelled' } });
    const stopped = await driver.outcomeOf(polite.key);
    expect(stopped.failure?.kind).toBe('cancelled');
    expect(await slotPid()).toBe(before);
    // It says when it has begun: a kill that comes before that stops it politely.
    const begun = join(mkdtempSync(join(tmpdir(), 'millrace-deaf-')), 'begun');
    cleanups.push(() => rmSync(dirname(begun), { recursive: true }));
    const deaf = launchOf(
      `() => { process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(begun)}, ''); while (true) {} }`,
      driver.program(),
    );
    driver.send({ launch: { tasks: [deaf] } });
    await driver.until(() => existsSync(begun), 'a task that is deaf');
    driver.send({ kill: { key: deaf.key, reason: 'batch cancelled' } });
    expect(errorOf(await driver.outcomeOf(deaf.key))).toMatchObject({
      code: 'TASK_KILLED',
      what: expect.stringContaining('batch cancelled'),
    });
    expect(await slotPid()).not.toBe(before);
  });

  it('removes what a slot that was killed had on disk', async () => {
    const spilling = `async () => {
      const { spillDirectory } = JSON.parse(process.env.MILLRACE_SHUFFLE);
      process.getBuiltinModule('fs').mkdirSync(spillDirectory + '/' + process.env.MILLRACE_SLOT + '-' + process.pid + '/0', { recursive: true });
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    }`;
    expect(errorOf(await run(spilling))).toMatchObject({ code: 'SLOT_LOST' });
    const [own = ''] = readdirSync(workDir);
    await driver.until(
      () => readdirSync(join(workDir, own, 'spill')).length === 0,
      'an empty spill directory',
    );
  });

  it('says that a slot is not ready before it says how its task ended', async () => {
    driver.readySlots.length = 0;
    const seen: string[] = [];
    const ended = run('() => process.exit(3)');
    await driver.until(
      () => driver.ended.length > 0 && seen.push(JSON.stringify(driver.readySlots)),
      'the end',
    );
    await ended;
    expect(seen[0]).toBe('[[]]');
    await driver.until(() => driver.readySlots.some((ready) => ready.length === 1), 'the new slot');
  });

  it('attaches again when the driver does not know it, and when the link breaks; old tasks end unreported', async () => {
    const old = launchOf('() => { while (true) {} }', driver.program());
    driver.send({ launch: { tasks: [old] } });
    await driver.until(() => driver.heartbeats.at(-1)?.request.slots[0]?.busy === true, 'a busy slot');
    driver.forget();
    await driver.until(() => driver.registers.length === 2, 'the second registration');
    expect(resultOf(await run('() => 8'))).toBe(8);
    driver.dropLink();
    await driver.until(() => driver.registers.length === 3, 'the third registration');
    expect(resultOf(await run('() => 9'))).toBe(9);
    expect(driver.ended.map((ended) => ended.key?.partition)).not.toContain(old.key.partition);
  });

  it('finds the driver again after its restart', async () => {
    const { port } = driver;
    await driver.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = driver;
    driver = new TestDriver({ port, driverId: 'd-2' });
    cleanups.push(() => driver.close());
    await driver.listen();
    await driver.until(() => driver.registers.length === 1, 'the registration', 5_000);
    expect(driver.registers[0]?.executorId).toBe(before.registers[0]?.executorId);
    expect(resultOf(await run('() => 1'))).toBe(1);
  });

  it('serves a driver that knows nothing of earlier epochs: another state directory, say', async () => {
    const { port } = driver;
    await run('() => 1', { key: { epoch: 7 } });
    await driver.close();
    driver = new TestDriver({ port, driverId: 'd-2' });
    cleanups.push(() => driver.close());
    await driver.listen();
    await driver.until(() => driver.registers.length === 1, 'the registration', 5_000);
    expect(resultOf(await run('() => 2', { key: { epoch: 1 } }))).toBe(2);
  });

  it('forgets large results with its link: the driver counts their tasks as lost', async () => {
    const ended = await run('() => Buffer.alloc(3 * 1024 * 1024, 7)');
    const blockId = ended.resultBlock?.blockId ?? '';
    driver.dropLink();
    await driver.until(() => driver.registers.length === 2, 'the second registration');
    const channel = clientChannel({ address: ended.resultBlock?.blockAddress ?? '' });
    cleanups.push(() => channel.close());
    const fetch = async (): Promise<void> => {
      for await (const _ of channel.blocks.fetch({ blockIds: [blockId] }));
    };
    await expect(fetch()).rejects.toMatchObject({ details: expect.stringContaining('BLOCK_MISSING') });
  });

  it('keeps its link whatever a lambda throws', async () => {
    const error = errorOf(await run('() => { throw new Error("x".repeat(40_000_000)) }'));
    expect(error).toMatchObject({ code: 'USER_CODE', what: expect.stringMatching(/^xxx/) });
    expect(error.message.length).toBeLessThan(100_000);
    expect(driver.registers).toHaveLength(1);
  });

  it('drains: finishes what runs, takes nothing new, leaves', async () => {
    const slow = launchOf(
      'async () => { await new Promise((r) => setTimeout(r, 400)); return 4 }',
      driver.program(),
    );
    driver.send({ launch: { tasks: [slow] } });
    driver.readySlots.length = 0;
    driver.send({ drain: { timeoutMs: 5_000 } });
    const late = launchOf('() => 5', driver.program());
    driver.send({ launch: { tasks: [late] } });
    expect(resultOf(await driver.outcomeOf(slow.key))).toBe(4);
    expect(errorOf(await driver.outcomeOf(late.key)).code).toBe('TASK_REFUSED');
    await executor.ended;
    expect([driver.readySlots[0], driver.left]).toEqual([[], 1]);
    expect(readdirSync(workDir)).toEqual([]);
  });
});

describe('hostile tasks', () => {
  const cases: ReadonlyArray<readonly [string, string, string, object?]> = [
    ['loops for ever', '() => { while (true) {} }', 'TASK_TIMEOUT', { timeoutMs: 1_500 }],
    [
      'is in a long native call',
      '() => load("node:crypto").then((c) => c.pbkdf2Sync("a", "b", 2e9, 64, "sha512"))',
      'TASK_TIMEOUT',
      { timeoutMs: 1_500 },
    ],
    ['exits', '() => process.exit(3)', 'SLOT_LOST'],
    ['kills its process', '() => { process.kill(process.pid); return new Promise(() => {}) }', 'SLOT_LOST'],
    ['aborts', '() => process.abort()', 'SLOT_LOST'],
    [
      'allocates arrays without end',
      '() => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)) }',
      'TASK_OOM',
    ],
    [
      'allocates Buffers without end',
      '() => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }',
      'TASK_OOM',
    ],
    ['parses one huge JSON', '() => JSON.parse("[" + "[1],".repeat(2e7) + "1]")', 'TASK_OOM'],
    [
      'throws outside of its flow',
      '() => { setTimeout(() => { throw new Error("stray") }); return new Promise(() => {}) }',
      'USER_CODE',
    ],
  ];

  it.each(cases)(
    'a task that %s fails with a code; the executor goes on',
    async (_name, source, code, given = {}) => {
      executor = await start();
      await executor.registered;
      const before = await slotPid();
      const ended = await run(source, given);
      const error = errorOf(ended);
      expect(error.code).toBe(code);
      expect(error.details).toMatchObject({
        topic: 'views',
        partition: 3,
        fromOffset: 100,
        untilOffset: 110,
      });
      if (code !== 'USER_CODE') {
        expect(ended.failure?.kind).toBe('slot');
        expect(error.message).toContain('views-3 [100, 110)');
      }
      const after = resultOf(await run('() => process.pid', { key: { attempt: 1 } }));
      expect(after).not.toBe(before);
      expect(driver.registers).toHaveLength(1);
      expect(driver.registers[0]?.pid).toBe(process.pid);
      const gaps = driver.heartbeats.map(({ at }, i) => at - (driver.heartbeats[i - 1]?.at ?? at));
      expect(Math.max(...gaps)).toBeLessThan(3_000);
    },
    60_000,
  );
});

describe('starting', () => {
  it('ends when the first driver refuses it', async () => {
    const guarded = new TestDriver({ token: 'right' });
    cleanups.push(() => guarded.close());
    const refused = await start({ token: 'wrong' }, await guarded.listen());
    await expect(refused.registered).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(refused.ended).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('does not need a driver', async () => {
    await start({}, 'localhost:1');
  });

  it('refuses bad options all at once, and a block port open to everybody', async () => {
    await expect(start({ slots: 0, slotz: 1 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      what: expect.stringMatching(/slotz.*did you mean "slots"[\s\S]*"slots"/),
    });
    await expect(start({ blockHost: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

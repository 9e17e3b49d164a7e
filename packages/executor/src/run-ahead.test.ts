import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { failureFromWire, type TaskEnded } from '@millrace/proto';
import { launchOf, TestDriver } from '../test/test-driver.ts';
import { startExecutor } from './executor.ts';

/** More than the channel to a slot holds, and small enough to be sent inline. */
const RESULT_BYTES = 900_000;
const slotMain = new URL('../test/fixture-slot.ts', import.meta.url);
const cleanups: Array<() => unknown> = [];
let driver: TestDriver;
let workDir: string;

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'millrace-run-ahead-test-'));
  cleanups.push(() => rmSync(workDir, { recursive: true, force: true }));
  driver = new TestDriver();
  cleanups.push(() => driver.close());
  await driver.listen();
  const options = { driver: `localhost:${driver.port}`, host: 'host-1', slots: 1, workDir };
  const executor = await startExecutor(options, { log: silentLogger, slotMain });
  cleanups.push(() => executor.stop());
  await driver.until(() => driver.readySlots.length > 0, 'SlotsChanged');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const valueFrom = ({ result, failure }: TaskEnded): unknown => {
  if (!result) throw failureFromWire(failure ?? {});
  return deserialize(result);
};
const file = (name: string): string => join(workDir, name);
/** A task that appends its name to a file, and waits for another file when it is told to. */
const appending = (name: string, until?: string): string => `async () => {
  const { appendFileSync, existsSync } = process.getBuiltinModule('fs');
  appendFileSync(${JSON.stringify(file('order'))}, ${JSON.stringify(`${name} `)});
  while (${until === undefined ? 'false' : `!existsSync(${JSON.stringify(file(until))})`}) await new Promise((r) => setTimeout(r, 5));
  return process.pid;
}`;
const order = (): string => (existsSync(file('order')) ? readFileSync(file('order'), 'utf8') : '');

describe('tasks that were given to a slot at once', () => {
  it('run one after the other, in the order of the launches', async () => {
    const hash = driver.program();
    const tasks = ['a', 'b', 'c'].map((name) => launchOf(appending(name), hash));
    driver.send({ launch: { tasks } });
    const pids = await Promise.all(tasks.map(async ({ key }) => valueFrom(await driver.outcomeOf(key))));
    expect(order()).toBe('a b c ');
    expect(new Set(pids).size).toBe(1);
  });

  it('are called back only while they wait', async () => {
    const hash = driver.program();
    const [first, second] = [launchOf(appending('a', 'go'), hash), launchOf(appending('b'), hash)];
    driver.send({ launch: { tasks: [first, second] } });
    await driver.until(() => order() === 'a ', 'the first task');
    for (const { key } of [first, second])
      driver.send({ kill: { key, reason: 'recalled', onlyWaiting: true } });
    const back = await driver.outcomeOf(second.key);
    expect(failureFromWire(back.failure ?? {})).toMatchObject({ code: 'TASK_KILLED' });
    writeFileSync(file('go'), '');
    expect(valueFrom(await driver.outcomeOf(first.key))).toEqual(expect.any(Number));
    expect(order()).toBe('a ');
  });

  it('are run by the next process of the slot when one before them ends it', async () => {
    const hash = driver.program();
    const [first, second] = [launchOf('() => process.exit(3)', hash), launchOf(appending('b'), hash)];
    driver.send({ launch: { tasks: [first, second] } });
    const lost = await driver.outcomeOf(first.key);
    expect(failureFromWire(lost.failure ?? {})).toMatchObject({ code: 'SLOT_LOST' });
    expect(valueFrom(await driver.outcomeOf(second.key))).toEqual(expect.any(Number));
    expect(order()).toBe('b ');
  });

  it.each([
    ['never yields', '() => { for (;;); }', 'TASK_TIMEOUT'],
    ['ends the process', '() => process.exit(3)', 'SLOT_LOST'],
  ])('have given their result, however large, before one behind them %s', async (_, deed, code) => {
    const hash = driver.program();
    const large = `() => 'x'.repeat(${RESULT_BYTES})`;
    const tasks = [large, deed].map((source) => launchOf(source, hash, { timeoutMs: 1_500 }));
    driver.send({ launch: { tasks } });
    const [first, second] = await Promise.all(tasks.map(({ key }) => driver.outcomeOf(key)));
    expect(failureFromWire(second?.failure ?? {})).toMatchObject({ code });
    expect(first?.result).toHaveLength(serialize('x'.repeat(RESULT_BYTES)).length);
  });

  it('are not blamed for a promise that the one before them left rejected', async () => {
    const hash = driver.program();
    const careless = `() => { void Promise.reject(new Error('nobody waits for me')); }`;
    const tasks = [launchOf(careless, hash), launchOf(appending('b'), hash)];
    driver.send({ launch: { tasks } });
    const [first, second] = await Promise.all(tasks.map(({ key }) => driver.outcomeOf(key)));
    expect(failureFromWire(first?.failure ?? {})).toMatchObject({
      code: 'USER_CODE',
      what: expect.stringContaining('nobody waits for me'),
    });
    expect(valueFrom(second as TaskEnded)).toEqual(expect.any(Number));
  });

  it('have their whole time-out from their own beginning on', async () => {
    const hash = driver.program();
    const slow = '() => new Promise((r) => setTimeout(r, 700, 1))';
    const tasks = [slow, slow].map((source) => launchOf(source, hash, { timeoutMs: 1_200 }));
    driver.send({ launch: { tasks } });
    for (const { key } of tasks) expect(valueFrom(await driver.outcomeOf(key))).toBe(1);
  });
});

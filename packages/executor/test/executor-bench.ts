import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { afterEach, beforeEach } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { failureFromWire, type TaskEnded } from '@millrace/proto';
import { type Executor, startExecutor } from '../src/executor.ts';
import { launchOf, TestDriver } from './test-driver.ts';

const slotMain = new URL('./fixture-slot.ts', import.meta.url);
export const MIB = 1024 * 1024;

export const errorOf = (ended: TaskEnded) => failureFromWire(ended.failure ?? {});

export function resultOf(ended: TaskEnded): unknown {
  if (!ended.result) throw errorOf(ended);
  return deserialize(ended.result);
}

/** A driver, and executors of it, anew for each test. */
class ExecutorBench {
  workDir = '';
  #driver: TestDriver | undefined;
  readonly #ends: (() => unknown)[] = [];

  get driver(): TestDriver {
    if (this.#driver === undefined) throw new Error('the driver is there from beforeEach on');
    return this.#driver;
  }

  /** Runs behind the test, the last one first. */
  atEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async begin(): Promise<void> {
    const workDir = mkdtempSync(join(tmpdir(), 'millrace-executor-test-'));
    this.workDir = workDir;
    this.atEnd(() => rmSync(workDir, { recursive: true, force: true }));
    await this.listen(new TestDriver());
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  }

  /** That one is the driver from now on. */
  async listen(driver: TestDriver): Promise<void> {
    this.#driver = driver;
    this.atEnd(() => driver.close());
    await driver.listen();
  }

  /** Default: of the driver, with one slot. */
  async start(options: object = {}, address = `localhost:${this.driver.port}`): Promise<Executor> {
    const given = {
      driver: address,
      host: 'host-1',
      slots: 1,
      workDir: this.workDir,
      slotMemoryBytesMax: 256 * MIB,
      ...options,
    };
    const started = await startExecutor(given, { log: silentLogger, slotMain });
    this.atEnd(() => started.stop());
    return started;
  }

  /** One that is registered, and has a slot. */
  async startReady(): Promise<Executor> {
    const started = await this.start();
    await this.driver.until(() => this.driver.readySlots.length > 0, 'SlotsChanged');
    return started;
  }

  async run(source: string, given: object = {}): Promise<TaskEnded> {
    return this.driver.task(launchOf(source, this.driver.program(), given));
  }

  async slotPid(): Promise<number> {
    return resultOf(await this.run('() => process.pid')) as number;
  }
}

/** Call it at the top of a test file. */
export function useExecutorBench(): ExecutorBench {
  const bench = new ExecutorBench();
  beforeEach(() => bench.begin());
  afterEach(() => bench.end());
  return bench;
}

import { type ChildProcess, fork } from 'node:child_process';
import { type Clock, type Logger, MillraceError, messageOf, type Timer } from '@millrace/common';
import { forwardLines } from './output-lines.ts';
import { residentBytes } from './resident-memory.ts';
import {
  NO_METRICS,
  type Slot,
  type SlotEnd,
  type SlotHealth,
  type SlotOutcome,
  type SlotTask,
} from './slot.ts';
import { howItEnded, type KillCause, slotDeathError } from './slot-death.ts';
import type { FromSlot, ToSlot } from './slot-messages.ts';

export interface ProcessSlotOptions {
  readonly index: number;
  readonly executorId: string;
  /** The module that the process runs: calls serveSlot. */
  readonly main: URL;
  /** Resident bytes above which a slot is killed. */
  readonly memoryBytesMax: number;
  readonly startTimeoutMs: number;
  /** Content of a snapshot or broadcast, by hash. */
  readonly blob: (hash: string) => Promise<Uint8Array>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of the process as soon as it exists and when it is gone. */
  readonly onPid?: (pid: number, alive: boolean) => void;
}

interface Running {
  readonly id: number;
  readonly task: SlotTask;
  readonly settle: (outcome: SlotOutcome) => void;
  readonly timers: Set<Timer>;
  killReason: string | undefined;
}

const MEBIBYTE = 1024 * 1024;
// Young generation, code and stacks need room beside the old space.
const HEAP_SHARE = 0.75;
const SAMPLE_MS = 50;
// Endless allocation makes about 1 GB/s: the nearer to the limit, the more often it is looked at.
const SAMPLE_NEAR_LIMIT_MS = 10;
const ABORT_GRACE_MS = 500;
const STDERR_TAIL_CHARS = 4_096;
const STDERR_WAIT_MS = 200;
const USEFUL_LIFE_MS = 10_000;

/** A slot that is a child process: whatever its code does, SIGKILL ends it and the supervisor goes on. */
export class ProcessSlot implements Slot {
  readonly ended: Promise<SlotEnd>;
  readonly #options: ProcessSlotOptions;
  readonly #child: ChildProcess;
  readonly #started = Promise.withResolvers<void>();
  readonly #bornAt: number;
  #ready = false;
  #gone = false;
  #running: Running | undefined;
  #runs = 0;
  #lastStage: Uint8Array | undefined;
  #cause: KillCause | undefined;
  #stderrTail = '';
  #cachedConsumers = 0;

  constructor(options: ProcessSlotOptions) {
    this.#options = options;
    this.#bornAt = options.clock.monotonic();
    this.#child = fork(options.main, [], {
      execArgv: slotExecArgv(process.execArgv, options.memoryBytesMax),
      env: slotEnvironment(process.env, options.executorId, options.index),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // A start that nobody awaits any more must not end the process.
    this.#started.promise.catch(() => undefined);
    this.ended = this.#watch();
  }

  get isGone(): boolean {
    return this.#gone;
  }

  async start(): Promise<void> {
    const { clock, startTimeoutMs } = this.#options;
    const timer = clock.schedule(startTimeoutMs, () => {
      this.#started.reject(
        new MillraceError('DEADLINE_EXCEEDED', `a slot was not ready within ${startTimeoutMs} ms`),
      );
      this.#kill({ kind: 'closed' });
    });
    try {
      await this.#started.promise;
    } finally {
      timer.cancel();
    }
  }

  run(task: SlotTask): Promise<SlotOutcome> {
    if (this.#running || !this.#ready || this.#gone) {
      const error = new MillraceError('SLOT_LOST', 'the slot cannot take a task now', {
        details: { reads: task.describes },
      });
      return Promise.resolve({ kind: 'failed', error: MillraceError.toRecord(error), metrics: NO_METRICS });
    }
    const { promise, resolve } = Promise.withResolvers<SlotOutcome>();
    const running: Running = {
      id: ++this.#runs,
      task,
      timers: new Set(),
      killReason: undefined,
      settle: (outcome) => {
        this.#running = undefined;
        for (const timer of running.timers) timer.cancel();
        resolve(outcome);
      },
    };
    this.#running = running;
    this.#after(running, task.timeoutMs, () => this.#kill({ kind: 'timeout' }));
    this.#sample(running, SAMPLE_MS);
    const { key, programHash, programDir, stage } = task;
    const isSameStage = this.#lastStage !== undefined && Buffer.compare(this.#lastStage, stage) === 0;
    this.#lastStage = stage;
    this.#send({
      kind: 'run',
      id: running.id,
      key,
      programHash,
      programDir,
      task: task.task,
      ...(isSameStage ? {} : { stage }),
    });
    return promise;
  }

  kill(reason: string): void {
    const running = this.#running;
    if (!running || running.killReason !== undefined) return;
    running.killReason = reason;
    this.#send({ kind: 'abort', id: running.id, reason });
    this.#after(running, ABORT_GRACE_MS, () => this.#kill({ kind: 'killed', reason }));
  }

  health(): SlotHealth {
    const pid = this.#child.pid ?? 0;
    const rssBytes = pid === 0 || this.#gone ? 0 : (residentBytes(pid) ?? 0);
    this.#checkMemory(rssBytes);
    return { pid, rssBytes, busy: this.#running !== undefined, cachedConsumers: this.#cachedConsumers };
  }

  async close(): Promise<void> {
    this.#kill({ kind: 'closed' });
    await this.ended;
  }

  #after(running: Running, ms: number, act: () => void): void {
    const timer = this.#options.clock.schedule(ms, () => {
      running.timers.delete(timer);
      act();
    });
    running.timers.add(timer);
  }

  #sample(running: Running, ms: number): void {
    this.#after(running, ms, () => {
      const rssBytes = residentBytes(this.#child.pid ?? 0) ?? 0;
      this.#checkMemory(rssBytes);
      const isNear = rssBytes > this.#options.memoryBytesMax / 2;
      this.#sample(running, isNear ? SAMPLE_NEAR_LIMIT_MS : SAMPLE_MS);
    });
  }

  #checkMemory(rssBytes: number): void {
    if (rssBytes > this.#options.memoryBytesMax) this.#kill({ kind: 'memory', rssBytes });
  }

  /** The first cause counts: a slot is killed once. */
  #kill(cause: KillCause): void {
    if (this.#gone) return;
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  #send(message: ToSlot): void {
    // A slot that is dying: its end settles the task.
    if (this.#gone || !this.#child.connected) return;
    this.#child.send(message, (error) => {
      if (error) this.#options.log.debug({ err: error }, 'message to a slot was not delivered');
    });
  }

  #watch(): Promise<SlotEnd> {
    const { log, clock, onPid } = this.#options;
    const child = this.#child;
    const ended = Promise.withResolvers<SlotEnd>();
    const pid = child.pid ?? 0;
    if (pid !== 0) onPid?.(pid, true);
    child.on('message', (message) => this.#onMessage(message as FromSlot));
    for (const [name, stream] of [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const) {
      if (!stream) continue;
      const onLine = (line: string): void => {
        if (name === 'stderr') this.#stderrTail = `${this.#stderrTail}\n${line}`.slice(-STDERR_TAIL_CHARS);
        log.info({ stream: name, ...logFields(this.#running?.task), line }, 'slot output');
      };
      const onDropped = (lines: number): void =>
        log.warn({ stream: name, lines }, 'slot output was dropped: it comes too fast');
      forwardLines(stream, onLine, onDropped, clock);
    }
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const onEnd = (code: number | null, signal: string | null, why?: unknown): void => {
      if (this.#gone) return;
      this.#gone = true;
      if (pid !== 0) onPid?.(pid, false);
      void this.#settleDeath(code, signal, closed, why).then(ended.resolve);
    };
    child.once('exit', onEnd);
    // The process could not be made (no memory, too many processes).
    child.once('error', (error) => {
      if (pid === 0) onEnd(null, null, error);
    });
    return ended.promise;
  }

  async #settleDeath(
    code: number | null,
    signal: string | null,
    closed: Promise<void>,
    why: unknown,
  ): Promise<SlotEnd> {
    const { clock, memoryBytesMax, log } = this.#options;
    // What it wrote last says whether it ran out of memory; it may arrive after the exit.
    if (this.#cause === undefined && why === undefined) {
      const waited = new AbortController();
      await Promise.race([closed, clock.sleep(STDERR_WAIT_MS, waited.signal).catch(() => undefined)]);
      waited.abort();
    }
    const pid = this.#child.pid ?? 0;
    const cause =
      this.#running?.killReason === undefined
        ? this.#cause
        : { kind: 'killed' as const, reason: this.#running.killReason };
    const death = { code, signal, cause, stderrTail: this.#stderrTail, memoryBytesMax, pid };
    this.#started.reject(
      new MillraceError(
        'SLOT_LOST',
        `a slot ended (${howItEnded(death)}) before it was ready: ${why === undefined ? this.#stderrTail.trim() : messageOf(why)}`,
      ),
    );
    const running = this.#running;
    const level = cause?.kind === 'closed' ? 'debug' : 'warn';
    log[level]({ slotPid: pid, code, signal, cause: cause?.kind, ...logFields(running?.task) }, 'slot ended');
    running?.settle({ kind: 'failed', error: slotDeathError(running.task, death), metrics: NO_METRICS });
    const lived = clock.monotonic() - this.#bornAt;
    return { code, signal, wasUseful: this.#runs > 0 || lived > USEFUL_LIFE_MS };
  }

  #onMessage(message: FromSlot): void {
    switch (message.kind) {
      case 'ready':
        this.#ready = true;
        this.#started.resolve();
        return;
      case 'crashed':
        this.#kill({ kind: 'crashed', error: message.error });
        return;
      case 'need-blob':
        void this.#sendBlob(message.hash);
        return;
      case 'succeeded':
      case 'failed':
        this.#onOutcome(message);
    }
  }

  #onOutcome(message: Extract<FromSlot, { readonly kind: 'succeeded' | 'failed' }>): void {
    this.#cachedConsumers = message.cachedConsumers;
    const running = this.#running;
    if (running?.id !== message.id) return;
    const { metrics } = message;
    if (message.kind === 'succeeded') {
      const { result, accumulators } = message;
      running.settle({ kind: 'succeeded', result, accumulators, metrics });
      return;
    }
    if (running.killReason === undefined) {
      running.settle({ kind: 'failed', error: message.error, metrics });
      return;
    }
    // It stopped because it was asked to.
    const cause = { kind: 'killed', reason: running.killReason } as const;
    const { memoryBytesMax } = this.#options;
    const death = {
      code: null,
      signal: null,
      cause,
      stderrTail: '',
      memoryBytesMax,
      pid: this.#child.pid ?? 0,
    };
    running.settle({ kind: 'failed', error: slotDeathError(running.task, death), metrics });
  }

  async #sendBlob(hash: string): Promise<void> {
    try {
      this.#send({ kind: 'blob', hash, content: await this.#options.blob(hash) });
    } catch (error) {
      this.#send({ kind: 'blob-failed', hash, error: MillraceError.toRecord(error) });
    }
  }
}

function logFields(task: SlotTask | undefined): object {
  if (!task) return {};
  const { application, batchTime, stage, partition, attempt } = task.key;
  return { application, batchTime, stage, partition, attempt };
}

// A debugger's port and the parent's own limits are not for its children.
const NOT_INHERITED =
  /^--(inspect|max[-_]|cpu-prof|heap-prof|heapsnapshot|watch|test|experimental-vm-modules|eval|print)/;

/** Node options of a slot: how modules are found is the parent's affair too (conditions, loaders), how memory is used is not. */
export function slotExecArgv(parent: readonly string[], memoryBytesMax: number): string[] {
  const inherited = parent.filter((option, at) => option.startsWith('-') || parent[at - 1] === '-C');
  const heapMb = Math.max(32, Math.floor((memoryBytesMax * HEAP_SHARE) / MEBIBYTE));
  return [...inherited.filter((option) => !NOT_INHERITED.test(option)), `--max-old-space-size=${heapMb}`];
}

/** The executor's environment without what is Millrace's own (its token among it). */
export function slotEnvironment(
  parent: NodeJS.ProcessEnv,
  executorId: string,
  index: number,
): NodeJS.ProcessEnv {
  const kept = Object.entries(parent).filter(
    ([name]) => !name.startsWith('MILLRACE_') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(kept), MILLRACE_EXECUTOR_ID: executorId, MILLRACE_SLOT: String(index) };
}

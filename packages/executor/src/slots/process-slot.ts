import { type ChildProcess, fork } from 'node:child_process';
import { type Clock, type Logger, MillraceError, messageOf } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { residentBytes } from './resident-memory.ts';
import {
  NO_METRICS,
  type Slot,
  type SlotEnd,
  type SlotHealth,
  type SlotOutcome,
  type SlotTask,
} from './slot.ts';
import { howItEnded, type KillCause, slotDeathError, slowStart } from './slot-death.ts';
import { SlotDemands, type SlotDemandsOptions } from './slot-demands.ts';
import { type ShuffleSpace, slotEnvironment, slotExecArgv } from './slot-environment.ts';
import type { FromSlot, ToSlot } from './slot-messages.ts';
import { logFields, SlotOutput } from './slot-output.ts';
import { type SlotRun, SlotRuns } from './slot-runs.ts';

export interface ProcessSlotOptions extends Pick<SlotDemandsOptions, 'blob' | 'locate' | 'fetchState'> {
  readonly index: number;
  readonly executorId: string;
  /** The module that the process runs: calls serveSlot. */
  readonly main: URL;
  /** Resident bytes above which a slot is killed. */
  readonly memoryBytesMax: number;
  readonly startTimeoutMs: number;
  readonly shuffleSpace: ShuffleSpace;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of the process as soon as it exists and when it is gone. */
  readonly onPid?: (pid: number, alive: boolean) => void;
}

const SAMPLE_MS = 50;
// Endless allocation makes about 1 GB/s: the nearer to the limit, the more often it is looked at.
const SAMPLE_NEAR_LIMIT_MS = 10;
const ABORT_GRACE_MS = 500;
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
  readonly #runs: SlotRuns;
  #lastStage: Uint8Array | undefined;
  #cause: KillCause | undefined;
  #cachedConsumers = 0;
  readonly #demands: SlotDemands;
  readonly #output: SlotOutput;

  constructor(options: ProcessSlotOptions) {
    this.#options = options;
    this.#bornAt = options.clock.monotonic();
    this.#runs = new SlotRuns(options.clock, (run) => this.#begin(run));
    this.#child = fork(options.main, [], {
      execArgv: slotExecArgv(process.execArgv, options.memoryBytesMax),
      env: slotEnvironment(process.env, options.executorId, options.index, options.shuffleSpace),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { blob, locate, fetchState, log, clock } = options;
    this.#demands = new SlotDemands({ blob, locate, fetchState, send: (message) => this.#send(message) });
    this.#output = new SlotOutput(this.#child, { log, clock, running: () => this.#runs.running?.task });
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
      this.#started.reject(slowStart('a slot was not ready', startTimeoutMs));
      this.#kill({ kind: 'closed' });
    });
    try {
      await this.#started.promise;
    } finally {
      timer.cancel();
    }
  }

  async run(task: SlotTask): Promise<SlotOutcome | undefined> {
    if (!this.#ready || this.#gone) return undefined;
    const { run, outcome } = this.#runs.add(task);
    const { key, programHash, programDir, stage } = task;
    const isSameStage = this.#lastStage !== undefined && Buffer.compare(this.#lastStage, stage) === 0;
    this.#lastStage = stage;
    this.#send({
      kind: 'run',
      id: run.id,
      key,
      programHash,
      programDir,
      task: task.task,
      ...(isSameStage ? {} : { stage }),
    });
    return outcome;
  }

  prefetch(ranges: readonly OffsetRange[]): void {
    if (this.#ready) this.#send({ kind: 'prefetch', ranges });
  }

  kill(isMeant: (task: SlotTask) => boolean, reason: string, onlyWaiting = false): void {
    for (const run of this.#runs.waiting) {
      if (run.killReason !== undefined || !isMeant(run.task)) continue;
      run.killReason = reason;
      this.#send({ kind: 'abort', id: run.id, reason });
      this.#runs.answer(run, this.#killed(run, reason));
    }
    const { running } = this.#runs;
    if (onlyWaiting || !running || running.killReason !== undefined || !isMeant(running.task)) return;
    running.killReason = reason;
    this.#send({ kind: 'abort', id: running.id, reason });
    this.#killUnlessEnded(running, reason);
  }

  health(): SlotHealth {
    const pid = this.#child.pid ?? 0;
    const rssBytes = pid === 0 || this.#gone ? 0 : (residentBytes(pid) ?? 0);
    this.#checkMemory(rssBytes);
    return { pid, rssBytes, busy: this.#runs.running !== undefined, cachedConsumers: this.#cachedConsumers };
  }

  dropBlobs(hashes: readonly string[]): void {
    if (this.#ready) this.#send({ kind: 'drop-blobs', hashes });
  }

  dropApplication(application: string, belowEpoch: number): void {
    // One that ran nothing has nothing.
    if (this.#runs.count > 0) this.#send({ kind: 'drop-application', application, belowEpoch });
  }

  async close(graceMs = 0): Promise<void> {
    if (graceMs === 0 || this.#runs.running || this.#runs.count === 0) this.#kill({ kind: 'closed' });
    else {
      this.#cause ??= { kind: 'closed' };
      this.#send({ kind: 'close' });
      const timer = this.#options.clock.schedule(graceMs, () => this.#kill({ kind: 'closed' }));
      await this.ended;
      timer.cancel();
    }
    await this.ended;
  }

  /** What is watched is the running task: those behind it have their time when their turn comes. */
  #begin(run: SlotRun): void {
    // One that was killed while it waited may have begun in that very moment, and may not know how to stop.
    if (run.killReason !== undefined) this.#killUnlessEnded(run, run.killReason);
    else this.#runs.after(run, run.task.timeoutMs, () => this.#kill({ kind: 'timeout' }));
    this.#sample(run, SAMPLE_MS);
  }

  #killUnlessEnded(run: SlotRun, reason: string): void {
    this.#runs.after(run, ABORT_GRACE_MS, () => this.#kill({ kind: 'killed', reason }));
  }

  #sample(run: SlotRun, ms: number): void {
    this.#runs.after(run, ms, () => {
      const rssBytes = residentBytes(this.#child.pid ?? 0) ?? 0;
      this.#checkMemory(rssBytes);
      const isNear = rssBytes > this.#options.memoryBytesMax / 2;
      this.#sample(run, isNear ? SAMPLE_NEAR_LIMIT_MS : SAMPLE_MS);
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
    const { onPid } = this.#options;
    const child = this.#child;
    const ended = Promise.withResolvers<SlotEnd>();
    const pid = child.pid ?? 0;
    if (pid !== 0) onPid?.(pid, true);
    child.on('message', (message) => this.#onMessage(message as FromSlot));
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const onEnd = (code: number | null, signal: string | null, why?: unknown): void => {
      if (this.#gone) return;
      this.#gone = true;
      this.#demands.close();
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
    const { running } = this.#runs;
    const cause =
      running?.killReason === undefined
        ? this.#cause
        : { kind: 'killed' as const, reason: running.killReason };
    const death = { code, signal, cause, stderrTail: this.#output.stderrTail, memoryBytesMax, pid };
    this.#started.reject(
      new MillraceError(
        'SLOT_LOST',
        `a slot ended (${howItEnded(death)}) before it was ready: ${why === undefined ? this.#output.stderrTail.trim() : messageOf(why)}`,
      ),
    );
    const level = cause?.kind === 'closed' ? 'debug' : 'warn';
    log[level]({ slotPid: pid, code, signal, cause: cause?.kind, ...logFields(running?.task) }, 'slot ended');
    this.#runs.end(({ task }) => ({
      kind: 'failed',
      error: slotDeathError(task, death),
      metrics: NO_METRICS,
    }));
    const lived = clock.monotonic() - this.#bornAt;
    return { code, signal, wasUseful: this.#runs.count > 0 || lived > USEFUL_LIFE_MS };
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
      case 'need-blocks':
      case 'need-state':
      case 'need-blob':
        void this.#demands.answer(message);
        return;
      case 'succeeded':
      case 'failed':
        this.#onOutcome(message);
    }
  }

  #onOutcome(message: Extract<FromSlot, { readonly kind: 'succeeded' | 'failed' }>): void {
    // It was killed for what ran then: an outcome that was under way would put the blame on the task behind it.
    if (this.#cause !== undefined) return;
    this.#cachedConsumers = message.cachedConsumers;
    this.#demands.release();
    const { running } = this.#runs;
    if (running?.id !== message.id) return;
    const { metrics } = message;
    if (message.kind === 'succeeded') {
      const { result, accumulators, written } = message;
      const outcome = { kind: 'succeeded', result, accumulators, metrics } as const;
      this.#runs.settle(running, { ...outcome, ...(written && { written }) });
    } else if (running.killReason === undefined) {
      this.#runs.settle(running, { kind: 'failed', error: message.error, metrics });
    } else {
      // It stopped because it was asked to.
      this.#runs.settle(running, this.#killed(running, running.killReason, metrics));
    }
  }

  #killed({ task }: SlotRun, reason: string, metrics = NO_METRICS): SlotOutcome {
    const { memoryBytesMax } = this.#options;
    const pid = this.#child.pid ?? 0;
    const cause = { kind: 'killed', reason } as const;
    const death = { code: null, signal: null, cause, stderrTail: '', memoryBytesMax, pid };
    return { kind: 'failed', error: slotDeathError(task, death), metrics };
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type Clock, type Logger, MillraceError, type Timer } from '@millrace/common';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { hostEnvironment, hostExecArgv } from './host-environment.ts';
import { type HostLine, readLines } from './output-lines.ts';

export interface HostProcessOptions {
  /** Module that the process runs. */
  readonly entry: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pingIntervalMs: number;
  /** A host that answers no ping for so long is killed. */
  readonly pongTimeoutMs: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of the process as soon as it exists, and when it is gone. */
  readonly onPid?: (pid: number, alive: boolean) => void;
}

export interface HostExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** It was killed because it did not answer. */
  readonly unresponsive: boolean;
  /** V8 gave up: its heap was full. */
  readonly outOfMemory: boolean;
}

export interface HostListener {
  message(message: HostToDriver): void;
  output(line: HostLine): void;
  exited(exit: HostExit): void;
}

/** Where the engine in the host logs: a pipe of its own, so that nothing that a job prints is taken for it. */
const LOG_FD = 4;
const V8_OUT_OF_MEMORY = /^FATAL ERROR: .*out of memory/;
/** 128 + SIGABRT: what a shell in between makes of the signal. */
const ABORTED = 134;
// Output of a host nobody listens to yet.
const EARLY_LINES_MAX = 100;
/** After its exit, the end of its output is waited for so long: a child of its own may hold the pipe open. */
const OUTPUT_END_MS = 500;

/** One application host process, from its start to its end. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly #options: HostProcessOptions;
  #listener: HostListener | undefined;
  readonly #earlyLines: HostLine[] = [];
  readonly #outputs: readonly Readable[];
  #exit: HostExit | undefined;
  #ping: Timer | undefined;
  #outputEnd: Timer | undefined;
  #pinged = 0;
  #ponged = 0;
  #unresponsive = false;
  #outOfMemory = false;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#child = fork(options.entry, [String(LOG_FD)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      execArgv: hostExecArgv(process.execArgv),
      env: hostEnvironment(options.environment),
    });
    // Nobody may wait for it: its exit is an event, too.
    this.#ready.promise.catch(() => undefined);
    this.#child.on('message', (message) => this.#receive(message as HostToDriver));
    this.#child.on('error', (error) => {
      options.logger.warn({ err: error, pid: this.pid }, 'host process error');
      // It could not be made: nothing else will be heard of it.
      if (this.#child.pid === undefined) this.#closed(null, null);
    });
    // Its last output comes before 'close'.
    this.#child.on('close', (code, signal) => this.#closed(code, signal));
    if (this.#child.pid !== undefined) options.onPid?.(this.pid, true);
    this.#child.on('exit', (code, signal) => {
      options.onPid?.(this.pid, false);
      this.#outputEnd = options.clock.schedule(OUTPUT_END_MS, () => this.#closed(code, signal));
    });
    const sources = { stdout: 1, stderr: 2, logger: LOG_FD } as const;
    this.#outputs = (['stdout', 'stderr', 'logger'] as const).flatMap((source) => {
      const stream = this.#child.stdio[sources[source]] as Readable | null | undefined;
      if (!stream) return [];
      readLines(stream, options.clock, (text) => this.#output({ text, source }));
      return [stream];
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it said 'ready'. @throws MillraceError HOST_LOST. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get exit(): HostExit | undefined {
    return this.#exit;
  }

  /** One listener at a time. It hears at once of an end that was before. */
  listen(listener: HostListener): void {
    this.#listener = listener;
    for (const line of this.#earlyLines.splice(0)) listener.output(line);
    if (this.#exit) listener.exited(this.#exit);
  }

  /** Does nothing when it is gone: its exit is an event. */
  send(message: DriverToHost): void {
    if (!this.#child.connected) return;
    this.#child.send(message, (error) => {
      if (error)
        this.#options.logger.debug({ err: error, pid: this.pid }, 'a message did not reach the host');
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: HostToDriver): void {
    if (message.kind === 'pong') {
      this.#ponged = Math.max(this.#ponged, Math.min(message.sequence, this.#pinged));
    } else if (message.kind === 'ready') {
      this.#isReady = true;
      this.#ready.resolve();
      this.#pingLater();
    } else {
      this.#listener?.message(message);
    }
  }

  #output(line: HostLine): void {
    if (line.source === 'stderr' && V8_OUT_OF_MEMORY.test(line.text)) this.#outOfMemory = true;
    if (this.#listener) this.#listener.output(line);
    else if (this.#earlyLines.length < EARLY_LINES_MAX) this.#earlyLines.push(line);
  }

  #pingLater(): void {
    const { clock, pingIntervalMs, pongTimeoutMs, logger } = this.#options;
    const ping = (): void => {
      if (this.#exit) return;
      // Counted in pings and not in time: a driver that stood still sent none.
      if ((this.#pinged - this.#ponged) * pingIntervalMs >= pongTimeoutMs) {
        logger.warn({ pid: this.pid, pongTimeoutMs }, 'the application host does not answer: killing it');
        this.#unresponsive = true;
        this.kill();
        return;
      }
      this.send({ kind: 'ping', sequence: ++this.#pinged });
      this.#pingLater();
    };
    this.#ping = clock.schedule(pingIntervalMs, ping, { unref: true });
  }

  #closed(code: number | null, signal: string | null): void {
    if (this.#exit) return;
    this.#outputEnd?.cancel();
    this.#ping?.cancel();
    for (const stream of this.#outputs) stream.destroy();
    // The same words printed by a job that ends otherwise say nothing.
    const outOfMemory = this.#outOfMemory && (signal === 'SIGABRT' || code === ABORTED);
    this.#exit = { code, signal, unresponsive: this.#unresponsive, outOfMemory };
    this.#ready.reject(hostLost(this.#exit, this.pid));
    this.#listener?.exited(this.#exit);
  }
}

/** What an exit means when nobody asked for it. */
export function hostLost(exit: HostExit, pid: number): MillraceError {
  if (exit.unresponsive) {
    return new MillraceError('HOST_UNRESPONSIVE', 'the application host did not answer and was killed', {
      remedy:
        'Look for a busy loop or a long synchronous call in the job module or in foreachRDD; heavy work belongs in tasks.',
      details: { pid },
    });
  }
  if (exit.outOfMemory) {
    return new MillraceError('HOST_LOST', 'the application host ran out of memory', {
      remedy:
        'Let the job keep less on the driver (collect(), broadcasts, what foreachRDD gathers), or give hosts a larger heap: NODE_OPTIONS=--max-old-space-size=<MB> of the driver.',
      details: { pid, outOfMemory: true },
    });
  }
  const how = exit.signal === null ? `with exit code ${exit.code ?? 'unknown'}` : `by ${exit.signal}`;
  return new MillraceError('HOST_LOST', `the application host process ended ${how}`, {
    remedy:
      exit.signal === null
        ? 'A job must not end its process: look for process.exit() in it and its packages. Its last output is in `millrace logs`.'
        : 'Its last output is in `millrace logs`.',
    details: { pid, exitCode: exit.code ?? -1, signal: exit.signal ?? '' },
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Clock, MillraceError, withDeadline } from '@millrace/common';
import { EXIT } from '../exit-codes.ts';
import { logTail } from './log-tail.ts';
import { isReady } from './parent-link.ts';

const TAIL_LINES = 12;
// A killed process is gone at once; this only bounds the wait for the kernel to say so.
const REAP_MS = 5_000;

export interface ChildCommandOptions {
  /** For messages: "executor 2". */
  readonly name: string;
  /** A command line of this same program. */
  readonly args: readonly string[];
  /** Where its output goes; absent: to this process's own standard output and error. */
  readonly logFile?: string;
  /** What to do when it ends because something that it needs is in use. */
  readonly onConflict?: string | undefined;
  /** Beside the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Another `millrace` command as a child process of this one. It is in a process group of its own, so that Ctrl-C reaches only
 * this process, which then ends its children in order; a child whose parent is gone ends by itself (its IPC channel closes).
 */
export class ChildCommand {
  readonly name: string;
  readonly logFile: string | undefined;
  /** Never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onConflict: string;
  readonly #address: Promise<string>;
  #exit: ChildExit | undefined;
  #isStopping = false;

  constructor(options: ChildCommandOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.#clock = options.clock;
    this.#onConflict = options.onConflict ?? '';
    const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'w', 0o600);
    try {
      const main = fileURLToPath(
        new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url),
      );
      this.#child = spawn(process.execPath, [...process.execArgv, main, ...options.args], {
        stdio: ['ignore', log ?? 'inherit', log ?? 'inherit', 'ipc'],
        // The environment is inherited: a token in it reaches the children without being seen in a process list.
        ...(options.environment && { env: { ...process.env, ...options.environment } }),
        detached: true,
      });
    } finally {
      if (log !== undefined) closeSync(log);
    }
    const child = this.#child;
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#exit ??= { code, signal };
        resolve(this.#exit);
      };
      child.once('exit', end);
      // It could not be started at all.
      child.once('error', () => end(null, null));
    });
    this.#address = new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (isReady(message)) resolve(message.address);
      });
      void this.exited.then(() => reject(this.earlyEnd()));
    });
    // Whoever waits for it hears of it; nobody may.
    this.#address.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it ended although nobody had asked it to. */
  get endedEarly(): boolean {
    return this.#exit !== undefined && !this.#isStopping;
  }

  /** Its address, when it is up. @throws MillraceError when it ends first (with the tail of its log), or DEADLINE_EXCEEDED. */
  async ready(ms: number): Promise<string> {
    const late = (): MillraceError =>
      new MillraceError(
        'DEADLINE_EXCEEDED',
        [`${this.name} was not up within ${ms} ms`, ...this.#tail()].join('\n'),
      );
    return withDeadline(this.#address, ms, late, this.#clock);
  }

  /** What to say of a child that ended by itself. */
  earlyEnd(): MillraceError {
    const { code, signal } = this.#exit ?? { code: null, signal: null };
    const how = signal === null ? `with code ${code ?? '?'}` : `by ${signal}`;
    return new MillraceError(
      'PROCESS_ENDED',
      [`${this.name} (pid ${this.pid}) ended ${how}`, ...this.#tail()].join('\n'),
      {
        remedy: code === EXIT.conflict ? this.#onConflict : '',
        details: {
          ...(code === null ? {} : { exitCode: code }),
          ...(this.logFile === undefined ? {} : { log: this.logFile }),
        },
      },
    );
  }

  #tail(): string[] {
    return this.logFile === undefined ? [] : logTail(this.logFile, TAIL_LINES);
  }

  /** SIGTERM, and SIGKILL to what is left after `graceMs`. Resolves when it is gone. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGTERM');
    if (await this.#goneWithin(graceMs)) return;
    this.#child.kill('SIGKILL');
    await this.#goneWithin(REAP_MS);
  }

  /** Passes a Ctrl-C on. */
  interrupt(): void {
    this.#isStopping = true;
    this.#child.kill('SIGINT');
  }

  async #goneWithin(ms: number): Promise<boolean> {
    if (this.#exit !== undefined) return true;
    const timer = Promise.withResolvers<boolean>();
    const timeout = this.#clock.schedule(ms, () => timer.resolve(false));
    const gone = await Promise.race([this.exited.then(() => true), timer.promise]);
    timeout.cancel();
    return gone;
  }
}

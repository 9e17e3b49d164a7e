import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withDeadline } from '@millrace/common';

const GUARD = fileURLToPath(new URL('process-guard.mjs', import.meta.url));
const START_MS_MAX = 10_000;
const STOP_MS_MAX = 60_000;

/** A child process that dies with this one, whatever happens to it. */
export interface GuardedProcess {
  readonly pid: number;
  /** True once it has ended, for whatever reason. */
  readonly ended: boolean;
  /** `stopSignal`, after a while SIGKILL. Resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL. Resolves when it has ended. */
  kill(): Promise<void>;
}

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where output goes. */
  readonly logFile: string;
  /** Removed when this process dies without stopping the child. */
  readonly directory: string;
  /** Whose process it is; default: as this one. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Asks it to end in good order; default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

export async function startGuarded(options: GuardedOptions): Promise<GuardedProcess> {
  const { command, args, ...rest } = options;
  const argv = [GUARD, JSON.stringify(rest), command, ...args];
  const guard = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(guard, 'exit');
  // A guard that is gone already cannot be written to: `exited` says so.
  guard.stdin.on('error', () => {});
  const [line] = await withDeadline(
    Promise.race([once(createInterface({ input: guard.stdout }), 'line'), exited.then(() => [''])]),
    START_MS_MAX,
    `starting ${options.command}`,
  ).catch((error: unknown) => {
    guard.kill();
    throw error;
  });
  const pid = Number(line);
  if (!Number.isInteger(pid) || pid <= 0) throw new Error(`${options.command} could not be started`);
  // A test run that forgets to stop it ends nevertheless, and the guard with it.
  guard.unref();
  for (const pipe of [guard.stdin, guard.stdout]) (pipe as unknown as Socket).unref();
  return {
    pid,
    get ended() {
      return hasEnded(guard);
    },
    async stop() {
      if (!hasEnded(guard)) guard.stdin.write('stop\n');
      await withDeadline(exited, STOP_MS_MAX, `stopping ${options.command}`);
    },
    async kill() {
      if (!hasEnded(guard)) killNow(pid);
      await withDeadline(exited, STOP_MS_MAX, `killing ${options.command}`);
    },
  };
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself, and the guard not yet.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, MillraceError } from '@millrace/common';
import { ChildCommand } from './child-command.ts';

const UP_MS = 30_000;
const STOP_GRACE_MS = 10_000;

export interface LocalClusterOptions {
  /** Logs of the processes go here. */
  readonly logDir: string;
  readonly stateDir: string;
  /** A Kafka that runs already; absent: an embedded broker is started. */
  readonly brokers: string | undefined;
  /** 0: a free one. */
  readonly brokerPort: number;
  /** 0: a free one. */
  readonly driverPort: number;
  readonly executors: number;
  readonly slots: number;
  readonly clock: Clock;
}

/** A driver, executors and perhaps a broker, each a process of its own on this machine. */
export class LocalCluster {
  readonly brokers: string;
  readonly driverAddress: string;
  /** In the order in which they were started. */
  readonly processes: readonly ChildCommand[];

  readonly executors: readonly ChildCommand[];

  private constructor(parts: Pick<LocalCluster, 'brokers' | 'driverAddress' | 'processes' | 'executors'>) {
    this.brokers = parts.brokers;
    this.driverAddress = parts.driverAddress;
    this.processes = parts.processes;
    this.executors = parts.executors;
  }

  /**
   * Resolves when broker and driver are up; executors are on their way (`executorsUp`).
   * @throws MillraceError when a process does not come up; those that did are stopped again.
   */
  static async start(options: LocalClusterOptions, signal: AbortSignal): Promise<LocalCluster> {
    const started: ChildCommand[] = [];
    mkdirSync(options.logDir, { recursive: true, mode: 0o700 });
    const start = (name: string, args: readonly string[]): ChildCommand => {
      const child = new ChildCommand({
        name,
        args,
        logFile: join(options.logDir, `${name.replaceAll(' ', '-')}.log`),
        clock: options.clock,
      });
      started.push(child);
      return child;
    };
    try {
      const broker =
        options.brokers === undefined
          ? start('broker', ['dev-broker', '--port', String(options.brokerPort)])
          : undefined;
      const driver = start('driver', [
        'driver',
        '--port',
        String(options.driverPort),
        '--state-dir',
        options.stateDir,
      ]);
      const [brokers, driverAddress] = await allUp(
        [broker?.ready(UP_MS) ?? Promise.resolve(options.brokers ?? ''), driver.ready(UP_MS)],
        signal,
      );
      const executors = Array.from({ length: options.executors }, (_, index) =>
        start(`executor ${index + 1}`, [
          'executor',
          '--driver',
          driverAddress ?? '',
          '--slots',
          String(options.slots),
        ]),
      );
      return new LocalCluster({
        brokers: brokers ?? '',
        driverAddress: driverAddress ?? '',
        processes: started,
        executors,
      });
    } catch (error) {
      await stopAll(started);
      throw error;
    }
  }

  /** Resolves when every executor is registered. @throws MillraceError when one does not come up. */
  async executorsUp(signal: AbortSignal): Promise<void> {
    await allUp(
      this.executors.map((executor) => executor.ready(UP_MS)),
      signal,
    );
  }

  process(name: string): ChildCommand | undefined {
    return this.processes.find((child) => child.name === name);
  }

  /** Executors first, then the driver, then the broker: each finds who it says goodbye to. Bounded. */
  async stop(): Promise<void> {
    await stopAll(this.processes);
  }
}

/** All addresses, or the first failure, or the interruption. */
async function allUp(waits: ReadonlyArray<Promise<string>>, signal: AbortSignal): Promise<readonly string[]> {
  const interrupted = Promise.withResolvers<never>();
  const abort = (): void =>
    interrupted.reject(new MillraceError('CANCELLED', 'interrupted while the processes were starting'));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([Promise.all(waits), interrupted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function stopAll(processes: readonly ChildCommand[]): Promise<void> {
  const isOf = (kind: string) => (child: ChildCommand) => child.name.startsWith(kind);
  for (const kind of ['executor', 'driver', 'broker']) {
    await Promise.all(processes.filter(isOf(kind)).map((child) => child.stop(STOP_GRACE_MS)));
  }
}

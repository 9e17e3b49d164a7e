import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, unlessAborted } from '@millrace/common';
import { ChildCommand } from './child-command.ts';

const UP_MS = 30_000;
const INTERRUPTED = 'interrupted while the processes were starting';
const STOP_GRACE_MS = 10_000;
/** A driver finishes running batches first, 30 s at most. */
const DRIVER_GRACE_MS = 35_000;
const BROKER_CONFLICT =
  'Choose a port for the embedded broker with --broker-port (0: a free one); or use the Kafka that runs there: --brokers host:port.';
const DRIVER_CONFLICT =
  'Another `dev` may be running. Beside it, choose a port with --port (0: a free one) and a directory with --state-dir.';

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
  /** What each process listens to or offers, by its name. */
  readonly roles: Readonly<Record<string, string>>;

  private constructor(parts: Omit<LocalCluster, 'executorsUp' | 'process' | 'stop' | 'stopNow'>) {
    this.brokers = parts.brokers;
    this.driverAddress = parts.driverAddress;
    this.processes = parts.processes;
    this.executors = parts.executors;
    this.roles = parts.roles;
  }

  /**
   * Resolves when broker and driver are up; executors are on their way (`executorsUp`).
   * @throws MillraceError when a process does not come up; those that did are stopped again.
   */
  static async start(options: LocalClusterOptions, signal: AbortSignal): Promise<LocalCluster> {
    const started: ChildCommand[] = [];
    mkdirSync(options.logDir, { recursive: true, mode: 0o700 });
    const start = (name: string, args: readonly string[], onConflict?: string): ChildCommand => {
      const child = new ChildCommand({
        name,
        args,
        onConflict,
        logFile: join(options.logDir, `${name.replaceAll(' ', '-')}.log`),
        clock: options.clock,
      });
      started.push(child);
      return child;
    };
    try {
      const broker =
        options.brokers === undefined
          ? start('broker', ['dev-broker', '--port', String(options.brokerPort)], BROKER_CONFLICT)
          : undefined;
      const driver = start(
        'driver',
        ['driver', '--port', String(options.driverPort), '--state-dir', options.stateDir],
        DRIVER_CONFLICT,
      );
      const [brokers, driverAddress] = await unlessAborted(
        Promise.all([broker?.ready(UP_MS) ?? options.brokers ?? '', driver.ready(UP_MS)]),
        signal,
        INTERRUPTED,
      );
      const executors = Array.from({ length: options.executors }, (_, index) =>
        start(`executor ${index + 1}`, [
          'executor',
          '--driver',
          driverAddress,
          '--slots',
          String(options.slots),
        ]),
      );
      return new LocalCluster({
        brokers,
        driverAddress,
        processes: started,
        executors,
        roles: {
          broker: brokers,
          driver: driverAddress,
          ...Object.fromEntries(executors.map(({ name }) => [name, slotsText(options.slots)])),
        },
      });
    } catch (error) {
      await stopAll(started);
      throw error;
    }
  }

  /** Resolves when every executor is registered. @throws MillraceError when one does not come up. */
  async executorsUp(signal: AbortSignal): Promise<void> {
    await unlessAborted(
      Promise.all(this.executors.map((executor) => executor.ready(UP_MS))),
      signal,
      INTERRUPTED,
    );
  }

  process(name: string): ChildCommand | undefined {
    return this.processes.find((child) => child.name === name);
  }

  /** The driver first, while batches find their executors and their Kafka; then executors, then the broker. Bounded. */
  async stop(): Promise<void> {
    await stopAll(this.processes);
  }

  /** All at once, whatever they are at; `stop` resolves, too. */
  async stopNow(): Promise<void> {
    await Promise.all(this.processes.map((child) => child.stop(0)));
  }
}

function slotsText(slots: number): string {
  return `${slots} slot${slots === 1 ? '' : 's'}`;
}

async function stopAll(processes: readonly ChildCommand[]): Promise<void> {
  const isOf = (kind: string) => (child: ChildCommand) => child.name.startsWith(kind);
  for (const kind of ['driver', 'executor', 'broker']) {
    const graceMs = kind === 'driver' ? DRIVER_GRACE_MS : STOP_GRACE_MS;
    await Promise.all(processes.filter(isOf(kind)).map((child) => child.stop(graceMs)));
  }
}

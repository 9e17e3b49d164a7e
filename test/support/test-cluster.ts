import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/common';
import { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const JOBS = fileURLToPath(new URL('../jobs/', import.meta.url));
const UP_MS = 60_000;
// The CLI runs from source.
const NODE_ARGS = ['--conditions=@millrace/source'];

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type EventLine = Readonly<Record<string, unknown>>;

/** A job that was submitted and is followed. */
export class FollowedJob {
  readonly events: EventLine[] = [];
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.events.push(JSON.parse(line) as EventLine);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => child.once('close', resolve));
  }

  get batches(): readonly {
    readonly number: number;
    readonly batchTime: number;
    readonly records: number;
    readonly failedAttempts: number;
    readonly coalescedIntervals: number;
    readonly accumulators: readonly {
      readonly name: string;
      readonly value: unknown;
      readonly added: unknown;
    }[];
  }[] {
    return this.events
      .filter((event) => event['kind'] === 'batch')
      .map((event) => event['batch'] as FollowedJob['batches'][number]);
  }

  get output(): readonly string[] {
    return this.events.filter((event) => event['kind'] === 'output').map((event) => String(event['text']));
  }

  /** What it was told beside batches and output. */
  get notices(): string {
    return JSON.stringify(this.events.filter((event) => event['kind'] === 'notice'));
  }

  /** Error objects of all events, as JSON text: for expectations. */
  get errors(): string {
    return JSON.stringify(
      this.events.filter((event) => event['error'] !== undefined && typeof event['error'] === 'object'),
    );
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Ends the command; the application goes on. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A driver and executors as real processes, on a state directory that survives their deaths. Close it. */
export class TestCluster {
  readonly executors: ChildCommand[] = [];
  readonly #kafka: { readonly brokers: string };
  readonly #driverArgs: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #followed: FollowedJob[] = [];
  /** All that were ever started. */
  readonly #commands: ChildCommand[] = [];
  #directory: string | undefined;
  #driver: ChildCommand | undefined;
  #address = '';

  constructor(
    kafka: { readonly brokers: string },
    driverArgs: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#kafka = kafka;
    this.#driverArgs = driverArgs;
    this.#environment = environment;
  }

  static async start(
    brokers: string,
    executors = 2,
    executorArgs: readonly string[] = [],
    driverArgs: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<TestCluster> {
    const cluster = new TestCluster({ brokers }, driverArgs, environment);
    await cluster.up(executors, executorArgs);
    return cluster;
  }

  /** Starts a driver and so many executors; when one does not come up, none stays. */
  async up(executors: number, executorArgs: readonly string[]): Promise<void> {
    try {
      await this.startDriver();
      await Promise.all(Array.from({ length: executors }, () => this.startExecutor(executorArgs)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Of its own: logs, state, and what tests put there. It goes with the cluster. */
  get directory(): string {
    if (this.#directory === undefined) {
      this.#directory = mkdtempSync(join(tmpdir(), 'millrace-cluster-'));
      mkdirSync(join(this.#directory, 'logs'));
    }
    return this.#directory;
  }

  get brokers(): string {
    return this.#kafka.brokers;
  }

  get address(): string {
    return this.#address;
  }

  get driver(): ChildCommand {
    if (this.#driver === undefined) throw new Error('no driver was started');
    return this.#driver;
  }

  get stateDir(): string {
    return join(this.directory, 'state');
  }

  /** Starts it again on the same port and state, when it had been started before. */
  async startDriver(): Promise<void> {
    const port = this.#address === '' ? '0' : (this.#address.split(':').at(-1) as string);
    const args = ['driver', '--port', port, '--state-dir', this.stateDir, ...this.#driverArgs];
    this.#driver = this.#command('driver', args);
    this.#address = await this.#driver.ready(UP_MS);
  }

  /** Another driver on the same state, with a port of its own: the one before may still be there. */
  async startSuccessor(): Promise<void> {
    this.#address = '';
    await this.startDriver();
  }

  async startExecutor(args: readonly string[] = []): Promise<ChildCommand> {
    const executor = this.#command('executor', [
      'executor',
      '--driver',
      this.#address,
      '--slots',
      '2',
      ...args,
    ]);
    this.executors.push(executor);
    await executor.ready(UP_MS);
    return executor;
  }

  /** SIGKILL, and gone. */
  async kill(process: ChildCommand): Promise<void> {
    globalThis.process.kill(process.pid, 'SIGKILL');
    await process.exited;
  }

  /** Submits test/jobs/`job`.ts and follows it. */
  submit(
    job: string,
    env: Readonly<Record<string, string>>,
    conf: Readonly<Record<string, string | number>> = {},
  ): FollowedJob {
    const followed = new FollowedJob(
      this.#spawn(['submit', join(JOBS, `${job}.ts`), '--json', ...this.#jobArgs(env, conf)]),
    );
    this.#followed.push(followed);
    return followed;
  }

  /** Runs a command of the CLI to its end. */
  async cli(args: readonly string[], timeoutMs = 60_000): Promise<CliResult> {
    const child = this.#spawn(args);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return { code, stdout, stderr };
  }

  async status(application: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { code, stdout } = await this.cli(['status', application, '--json', '--driver', this.#address]);
    return code === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined;
  }

  /** The process of the application's host. */
  async hostPid(application: string): Promise<number> {
    return until(`a host of ${application}`, async () => {
      const status = JSON.stringify(await this.status(application));
      const pid = Number(/"hostPid":(\d+)/.exec(status)?.[1] ?? 0);
      return pid > 0 ? pid : undefined;
    });
  }

  async close(): Promise<void> {
    // Of a test that failed: it would wait for the driver to come back.
    for (const job of this.#followed) job.kill();
    await Promise.all(this.executors.map((executor) => executor.stop(10_000)));
    await this.#driver?.stop(10_000);
    // Others than the last driver and the executors that are left: a test that failed may not have ended them.
    await Promise.all(this.#commands.map((command) => command.stop(10_000)));
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  #jobArgs(env: Readonly<Record<string, string>>, conf: Readonly<Record<string, string | number>>): string[] {
    return [
      '--driver',
      this.#address,
      ...Object.entries({ KAFKA_BROKERS: this.brokers, ...env }).flatMap(([name, value]) => [
        '--env',
        `${name}=${value}`,
      ]),
      ...Object.entries(conf).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    ];
  }

  #spawn(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [...NODE_ARGS, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #command(name: string, args: readonly string[]): ChildCommand {
    const logFile = join(this.directory, 'logs', `${name}-${this.#commands.length}.log`);
    const environment = this.#environment;
    const command = new ChildCommand({ name, args, logFile, environment, clock: systemClock });
    this.#commands.push(command);
    return command;
  }
}

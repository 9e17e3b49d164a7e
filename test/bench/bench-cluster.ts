import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/common';
import { LocalCluster } from '../../packages/cli/src/processes/local-cluster.ts';
import { clusterMemoryMb } from './memory.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export interface BatchFigures {
  readonly number: number;
  readonly batchTime: number;
  readonly records: number;
  readonly processingMs: number;
  readonly schedulingMs: number;
  readonly totalMs: number;
}

export interface JobRun {
  readonly batches: readonly (BatchFigures & { readonly at: number })[];
  /** What the job printed. */
  readonly output: readonly string[];
  /** From spawning `submit` to the first completed batch, in ms. */
  readonly firstBatchMs: number;
  readonly memoryMb: { readonly driver: number; readonly host: number; readonly executors: number };
}

/**
 * When memory is looked at. PSS is dear (36 ms for the cluster's processes on 2 cores, and it stops each of them meanwhile), so a run whose
 * time counts is not sampled, or in its warm-up only.
 */
export type MemorySampling = 'none' | 'throughout' | { readonly atBatch: number };

const SAMPLE_MS = 250;

type Line = Readonly<Record<string, unknown>>;

/** One driver and two executors of one slot, as processes; jobs are submitted with the real command. */
export class BenchCluster {
  readonly brokers: string;
  readonly #cluster: LocalCluster;
  readonly #directory: string;

  private constructor(brokers: string, cluster: LocalCluster, directory: string) {
    this.brokers = brokers;
    this.#cluster = cluster;
    this.#directory = directory;
  }

  static async start(brokers: string): Promise<BenchCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    const cluster = await LocalCluster.start(
      {
        logDir: join(directory, 'logs'),
        stateDir: join(directory, 'state'),
        brokers,
        brokerPort: 0,
        driverPort: 0,
        executors: 2,
        slots: 1,
        clock: systemClock,
      },
      new AbortController().signal,
    );
    return new BenchCluster(brokers, cluster, directory);
  }

  /** Submits a job of test/bench/jobs, attached; resolves when it has ended. */
  async run(
    job: string,
    options: {
      readonly env?: Readonly<Record<string, string>>;
      readonly conf?: Readonly<Record<string, string | number>>;
      readonly memory?: MemorySampling;
    },
  ): Promise<JobRun> {
    const path = fileURLToPath(new URL(`./jobs/${job}.ts`, import.meta.url));
    const args = [
      'submit',
      path,
      '--json',
      '--quiet',
      '--driver',
      this.#cluster.driverAddress,
      ...Object.entries({ KAFKA_BROKERS: this.brokers, ...options.env }).flatMap(([name, value]) => [
        '--env',
        `${name}=${value}`,
      ]),
      ...Object.entries(options.conf ?? {}).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    ];
    const started = performance.now();
    const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return this.#follow(child, started, options.memory ?? 'none');
  }

  async #follow(child: ChildProcess, started: number, memory: MemorySampling): Promise<JobRun> {
    const batches: (BatchFigures & { at: number })[] = [];
    const output: string[] = [];
    let firstBatchMs = Number.NaN;
    let memoryMb = { driver: 0, host: 0, executors: 0 };
    const sum = (m: typeof memoryMb): number => m.driver + m.host + m.executors;
    const sample = (): void => {
      const now = this.memory();
      if (sum(now) > sum(memoryMb)) memoryMb = now;
    };
    const timer = memory === 'throughout' ? setInterval(sample, SAMPLE_MS) : undefined;
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    for await (const text of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const line = JSON.parse(text) as Line;
      if (line['kind'] === 'batch') {
        if (batches.length === 0) firstBatchMs = performance.now() - started;
        batches.push({ ...(line['batch'] as BatchFigures), at: line['at'] as number });
        if (memory !== 'none' && memory !== 'throughout' && batches.length === memory.atBatch) sample();
      } else if (line['kind'] === 'output') output.push(String(line['text']));
      else if (line['error'] !== undefined && line['error'] !== true && line['error'] !== false) {
        process.stderr.write(`${JSON.stringify(line)}\n`);
      }
    }
    clearInterval(timer);
    const code = await exited;
    if (code !== 0) throw new Error(`submit ended with ${code}; logs are in ${this.#directory}`);
    return { batches, output, firstBatchMs, memoryMb };
  }

  /** The driver and the executors; hosts and slots are their descendants. */
  get pids(): readonly number[] {
    return this.#cluster.processes.map(({ pid }) => pid);
  }

  get stateDir(): string {
    return join(this.#directory, 'state');
  }

  memory() {
    const pids = this.#cluster.processes
      .filter(({ name }) => name.startsWith('executor'))
      .map(({ pid }) => pid);
    return clusterMemoryMb(this.#cluster.process('driver')?.pid ?? 0, pids);
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
    if (process.env['MILLRACE_BENCH_KEEP'] === undefined)
      rmSync(this.#directory, { recursive: true, force: true });
  }
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CRASH_POINT_VARIABLE, type CrashPoint, type Random, randomInt } from '@millrace/common';
import { topicPartitionKey } from '@millrace/kafka';
import { directoryLogFiles } from '../../packages/driver/src/application/log/log-files.ts';
import { recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import type { LogState } from '../../packages/driver/src/application/log/log-state.ts';
import { childPids } from '../support/child-pids.ts';
import type { LedgerProducer } from '../support/produce-ledger.ts';
import type { FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';

const DEATH_MS = 60_000;
const RECOVERY_MS = 60_000;
/** A probe reads a log: in between, the machine is for who runs. */
const PROBE_EVERY_MS = 60;
const PRODUCE_EVERY_MS = 200;
const PRODUCED_AT_ONCE = 8;

/** Passed when a host starts: to get there, one must. */
const AT_START: ReadonlySet<CrashPoint> = new Set(['epoch-taken', 'before-claim', 'between-claims']);
const IN_SLOT: ReadonlySet<CrashPoint> = new Set([
  'sink-produced',
  'progress-sent',
  'sink-committed',
  'files-staged',
  'files-placed',
]);
const ONCE_IN_A_WHILE: ReadonlySet<CrashPoint> = new Set(['segment-written', 'segment-named']);
/** A host that is lost more than five times in ten minutes is not started again; a driver that starts knows of none. */
const HOSTS_MAX = 3;

/** The environment of a cluster that dies where a run says. */
export function armedBy(file: string): Readonly<Record<string, string>> {
  return { [CRASH_POINT_VARIABLE]: `@${file}` };
}

export interface CrashRunOptions {
  readonly cluster: TestCluster;
  /** See `armedBy`. */
  readonly arming: string;
  readonly application: string;
  readonly job: FollowedJob;
  readonly topic: string;
  readonly producer: LedgerProducer;
  readonly random: Random;
}

/** One application under load, killed at crash points. */
export class CrashRun {
  /** By point, and by what else was killed. */
  readonly kills = new Map<string, number>();
  readonly #options: CrashRunOptions;
  #hosts = 0;
  #isOver = false;
  #exit: { readonly code: number | null } | undefined;
  /** ms from a death, seen by who killed, to the next committed batch; by what died: slot, host or driver. */
  readonly #recoveries = new Map<string, number[]>();
  readonly #load: Promise<void>;

  constructor(options: CrashRunOptions) {
    this.#options = options;
    mkdirSync(dirname(options.arming), { recursive: true });
    this.#load = this.#produce();
    this.#load.catch(() => undefined);
    void this.#watchJob();
  }

  get logDirectory(): string {
    const { cluster, application } = this.#options;
    return join(cluster.stateDir, 'applications', application, 'log');
  }

  get total(): number {
    return [...this.kills.values()].reduce((sum, count) => sum + count, 0);
  }

  get state(): LogState {
    return recoverLog(directoryLogFiles(this.logDirectory)).state;
  }

  /** Resolves when a batch has been committed that was not before. */
  async progress(): Promise<void> {
    const before = this.state.lastCommitted ?? 0;
    await this.#until('a batch', RECOVERY_MS, () => (this.state.lastCommitted ?? 0) > before);
  }

  /** Kills who passes the point; now and then somebody else with it. Resolves when batches are committed again. */
  async kill(point: CrashPoint): Promise<void> {
    const { arming, random } = this.#options;
    if (this.#hosts >= HOSTS_MAX && !AT_START.has(point)) await this.#restartDriver();
    const hits = AT_START.has(point) || ONCE_IN_A_WHILE.has(point) ? 1 : 1 + randomInt(random, 3);
    writeFileSync(arming, `${point}:${hits}`);
    if (AT_START.has(point)) await this.#restartDriver();
    await this.#until(`the death at ${point}:${hits}`, DEATH_MS, () => !existsSync(arming));
    this.#count(point);
    if (!IN_SLOT.has(point)) this.#hosts += 1;
    const diedAt = Date.now();
    let victim = IN_SLOT.has(point) ? 'slot' : 'host';
    const also = random.next();
    if (also < 0.1) {
      victim = 'driver';
      await this.#restartDriver();
    } else if (IN_SLOT.has(point) && also < 0.5) {
      victim = 'host';
      this.#killHosts();
    }
    await this.progress();
    this.#recoveries.set(victim, [...(this.#recoveries.get(victim) ?? []), Date.now() - diedAt]);
  }

  /** No load any more; resolves when everything has been read. */
  async settle(): Promise<void> {
    const { producer, topic } = this.#options;
    this.#isOver = true;
    await this.#load;
    await this.#until('all records', 2 * RECOVERY_MS, () => {
      const { positions, pending } = this.state;
      const read = positions.get(0);
      return (
        pending === undefined &&
        [...producer.produced].every(
          ([partition, count]) => read?.get(topicPartitionKey({ topic, partition }))?.offset === count,
        )
      );
    });
  }

  /** What was killed, and how long it took to go on, in one line. */
  summary(): string {
    const kills = [...this.kills].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const recoveries = [...this.#recoveries].map(([victim, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      return `${victim} ${seconds(sorted[sorted.length >> 1])} / ${seconds(sorted.at(-1))}`;
    });
    const counts = kills.map(([name, count]) => `${name} ${count}`).join(', ');
    return `${this.total} kills (${counts}), next batch after p50 / max s: ${recoveries.join(', ')}`;
  }

  stop(): void {
    this.#isOver = true;
  }

  async #restartDriver(): Promise<void> {
    const { cluster } = this.#options;
    await cluster.kill(cluster.driver);
    this.#count('driver');
    this.#hosts = 0;
    await cluster.startDriver();
  }

  #killHosts(): void {
    for (const pid of childPids(this.#options.cluster.driver.pid)) process.kill(pid, 'SIGKILL');
    this.#count('host');
    this.#hosts += 1;
  }

  #count(name: string): void {
    this.kills.set(name, (this.kills.get(name) ?? 0) + 1);
  }

  async #until(what: string, ms: number, probe: () => boolean): Promise<void> {
    await until(what, () => this.#exit !== undefined || probe(), ms, PROBE_EVERY_MS);
    if (this.#exit) throw new Error(`the job ended with code ${this.#exit.code} before ${what}`);
  }

  async #watchJob(): Promise<void> {
    this.#exit = { code: await this.#options.job.exited };
  }

  async #produce(): Promise<void> {
    while (!this.#isOver) {
      await this.#options.producer.append(PRODUCED_AT_ONCE);
      await new Promise((resolve) => setTimeout(resolve, PRODUCE_EVERY_MS));
    }
  }
}

function seconds(ms = 0): string {
  return (ms / 1000).toFixed(1);
}

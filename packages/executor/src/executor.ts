import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type Logger,
  MillraceError,
  type OrphanReaper,
  type Random,
  resolveConfig,
  startOrphanReaper,
  systemClock,
  systemRandom,
  withDeadline,
} from '@millrace/common';
import {
  BLOCKS,
  type ClientChannel,
  clientChannel,
  createWireServer,
  type DriverMessage,
  isLoopback,
  type WireServer,
} from '@millrace/proto';
import { blockHandlers } from './blocks/block-service.ts';
import { BlockStore } from './blocks/block-store.ts';
import { DriverLink } from './link/driver-link.ts';
import { EXECUTOR_OPTIONS, type ExecutorOptions, type ResolvedExecutorOptions } from './options.ts';
import { BlobCache } from './programs/blob-cache.ts';
import { fetchContent } from './programs/content-client.ts';
import { ProgramCache } from './programs/program-cache.ts';
import { openWorkDirectory } from './programs/work-directory.ts';
import { parseDropPrefix } from './shuffle/block-name.ts';
import { ShuffleFetch } from './shuffle/shuffle-fetch.ts';
import { ShuffleStore } from './shuffle/shuffle-store.ts';
import { ProcessSlot } from './slots/process-slot.ts';
import { slotSpillDirectory } from './slots/slot-environment.ts';
import { SlotPool } from './slots/slot-pool.ts';
import { stateFetcher } from './state/state-fetch.ts';
import { TaskDesk } from './task/task-desk.ts';

export interface ExecutorDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Main module of slot processes; default: this package's. */
  readonly slotMain?: URL;
}

export interface StopOptions {
  /** Tasks that run are finished first; nothing new is taken. */
  readonly graceful?: boolean;
  /** How long they may take; default 30 s. */
  readonly timeoutMs?: number;
}

export interface Executor {
  readonly id: string;
  /** host:port of its block service. */
  readonly blockAddress: string;
  /** Resolves at the first registration. @throws MillraceError: the driver refused (UNAUTHENTICATED, VERSION_MISMATCH). */
  readonly registered: Promise<void>;
  /** Resolves when it has stopped: `stop`, or drained by the driver. @throws MillraceError: the driver refused. */
  readonly ended: Promise<void>;
  /** Idempotent. */
  stop(options?: StopOptions): Promise<void>;
}

const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;
const RESULT_INLINE_BYTES_MAX = 1024 * 1024;
const STOP_TIMEOUT_MS = 30_000;
/** For what tasks left in their slots (`perExecutor` values) when the executor stops gracefully. */
const SLOT_CLOSE_MS = 10_000;

/**
 * Starts an executor: its slots, then its link to the driver, which it keeps trying for ever. Resolves when the slots are ready,
 * whether or not there is a driver.
 * @throws MillraceError CONFIG_INVALID, PORT_IN_USE, DEADLINE_EXCEEDED (slots do not start).
 */
export async function startExecutor(
  given: ExecutorOptions,
  dependencies: ExecutorDependencies,
): Promise<Executor> {
  const options = resolveConfig(EXECUTOR_OPTIONS, given, 'executor');
  const { clock = systemClock, random = systemRandom } = dependencies;
  const id = `e-${Math.floor(random.next() * 36 ** 8)
    .toString(36)
    .padStart(8, '0')}`;
  const log = dependencies.log.child({ executor: id });
  const blocks = new BlockStore(options.blockBytesMax);
  const workDir = await openWorkDirectory(options.workDir, id);
  const shuffles = new ShuffleStore({
    directory: join(workDir, 'shuffle'),
    bytesMax: options.shuffleBytesMax,
    cacheBytesMax: options.cacheBytesMax,
  });
  const { blockHost: host, blockPort: port, token, tls } = options;
  const server = createWireServer({ host, port, token, tls });
  server.server.addService(BLOCKS, blockHandlers(blocks, shuffles));
  const boundPort = await server.listen().catch(async (error: unknown) => {
    await removeQuietly(workDir);
    throw error;
  });
  // Bound to loopback, nobody reaches it under another name.
  const blockAddress = `${isLoopback(host) ? host : options.host}:${boundPort}`;
  const parts = { id, options, clock, random, log, blocks, shuffles, server, blockAddress, workDir };
  const executor = new RunningExecutor(parts, dependencies.slotMain ?? defaultSlotMain());
  await executor.start();
  return executor;
}

interface Parts {
  readonly id: string;
  readonly options: ResolvedExecutorOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly blocks: BlockStore;
  readonly shuffles: ShuffleStore;
  readonly server: WireServer;
  readonly blockAddress: string;
  readonly workDir: string;
}

/** The parts of an executor, wired. It runs no user code, and nothing in it waits for a slot. */
class RunningExecutor implements Executor {
  readonly id: string;
  readonly blockAddress: string;
  readonly #parts: Parts;
  readonly #channel: ClientChannel;
  readonly #reaper: OrphanReaper;
  readonly #blobs: BlobCache;
  readonly #fetch: ShuffleFetch;
  readonly #pool: SlotPool;
  readonly #desk: TaskDesk;
  readonly #link: DriverLink;
  readonly #over = Promise.withResolvers<void>();
  #driverId: string | undefined;
  #draining = false;
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts, slotMain: URL) {
    const { id, options, clock, log, blocks, shuffles, blockAddress, workDir } = parts;
    this.id = id;
    this.blockAddress = blockAddress;
    this.#parts = parts;
    this.#over.promise.catch(() => undefined);
    this.#channel = clientChannel({ address: options.driver, token: options.token, tls: options.tls, clock });
    const fetch = (what: string, bytesMax: number) => (hash: string) =>
      fetchContent(this.#channel, hash, what, bytesMax, clock);
    const blobs = new BlobCache({
      fetch: fetch('blob', options.blobBytesMax),
      bytesMax: options.blobBytesMax,
    });
    this.#blobs = blobs;
    const { token, tls } = options;
    this.#fetch = new ShuffleFetch({
      store: shuffles,
      executorId: id,
      directory: join(workDir, 'fetched'),
      security: { token, tls },
      clock,
      silenceMsMax: options.shuffleFetchTimeoutMs,
    });
    const fetchState = stateFetcher({ channel: this.#channel, directory: join(workDir, 'state'), clock });
    this.#reaper = startOrphanReaper(log);
    this.#pool = new SlotPool({
      slots: options.slots,
      createSlot: (index) =>
        new ProcessSlot({
          index,
          executorId: id,
          main: slotMain,
          memoryBytesMax: options.slotMemoryBytesMax,
          startTimeoutMs: options.slotStartTimeoutMs,
          blob: (hash) => blobs.get(hash),
          locate: (wanted) => this.#fetch.locate(wanted),
          fetchState,
          shuffleSpace: {
            directory: join(workDir, 'shuffle'),
            spillDirectory: join(workDir, 'spill'),
            memoryBytesMax: options.shuffleMemoryBytesMax,
            fileBytesMax: options.shuffleBytesMax,
            inlineBytesMax: options.shuffleInlineBytesMax,
          },
          onPid: (pid, alive) => {
            this.#reaper.watch(pid, alive);
            if (!alive) void removeQuietly(slotSpillDirectory(join(workDir, 'spill'), index, pid));
          },
          clock,
          log: log.child({ slot: index }),
        }),
      onReadyChanged: () => this.#tellReady(),
      slotWaitMs: options.slotStartTimeoutMs,
      clock,
      log,
    });
    this.#desk = new TaskDesk({
      pool: this.#pool,
      programs: new ProgramCache({
        dir: workDir,
        fetch: fetch('program', BUNDLE_BYTES_MAX),
        programsMax: options.programsMax,
      }),
      blocks,
      shuffles,
      blockAddress,
      inlineBytesMax: RESULT_INLINE_BYTES_MAX,
      report: (tasks) => this.#link.send({ ended: { tasks: [...tasks] } }),
      clock,
      log,
    });
    this.#link = this.#createLink();
  }

  get registered(): Promise<void> {
    return this.#link.registered;
  }

  get ended(): Promise<void> {
    return this.#over.promise;
  }

  async start(): Promise<void> {
    const { options, log } = this.#parts;
    try {
      await this.#pool.started();
    } catch (error) {
      await this.stop();
      throw error;
    }
    const { slots, driver } = options;
    log.info({ slots, blockAddress: this.blockAddress, driver, pid: process.pid }, 'executor started');
    this.#link.open().then(undefined, async (refusal: unknown) => {
      this.#over.reject(refusal);
      await this.stop();
    });
  }

  stop(how: StopOptions = {}): Promise<void> {
    this.#stopped ??= this.#shutDown(how.graceful === true ? (how.timeoutMs ?? STOP_TIMEOUT_MS) : 0);
    return this.#stopped;
  }

  async #shutDown(graceMs: number): Promise<void> {
    const { log, clock, server, workDir } = this.#parts;
    this.#draining = true;
    log.info({ graceMs, running: this.#desk.running }, 'executor stops');
    this.#tellReady();
    this.#desk.refuse(new MillraceError('TASK_REFUSED', `executor ${this.id} is stopping`));
    if (graceMs > 0) await withDeadline(this.#drained(), graceMs, 'draining', clock).catch(() => undefined);
    await this.#link.close({ idle: this.#desk.running === 0 });
    await this.#pool.close(graceMs > 0 ? SLOT_CLOSE_MS : 0);
    this.#reaper.close();
    this.#channel.close();
    this.#fetch.close();
    await server.close();
    await removeQuietly(workDir);
    this.#over.resolve();
  }

  /** Nothing runs, and the driver has what it wanted of the results that stayed here. */
  async #drained(): Promise<void> {
    await this.#desk.idle();
    await this.#parts.blocks.empty();
  }

  #createLink(): DriverLink {
    const { id, options, clock, random, log, blocks } = this.#parts;
    return new DriverLink({
      channel: this.#channel,
      register: () => ({
        executorId: id,
        host: options.host,
        rack: options.rack ?? '',
        slots: options.slots,
        pid: process.pid,
        blockAddress: this.blockAddress,
      }),
      heartbeat: () => ({ rssBytes: process.memoryUsage.rss(), slots: [...this.#pool.health()] }),
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      onRegistered: (registered) => {
        // Another driver may know another history, where epochs begin anew; it says at once which of its own are valid.
        if (this.#driverId !== registered.driverId) this.#desk.forgetEpochs();
        this.#driverId = registered.driverId;
        this.#tellReady();
      },
      onMessage: (message) => this.#onMessage(message),
      onLost: (why) => {
        this.#desk.abandonAll(why.what);
        // The tasks that they are results of are lost with the link: nobody will ask for them.
        blocks.dropOwned(() => true);
      },
      clock,
      random,
      log,
    });
  }

  #tellReady(): void {
    this.#link.send({ slotsChanged: { ready: this.#draining ? [] : [...this.#pool.ready] } });
  }

  /** Map outputs that nobody reads any more, results that the driver has, broadcasts that were destroyed, large snapshots that no batch needs. */
  #dropBlocks(ids: readonly string[], prefix: string): void {
    const dropped = parseDropPrefix(prefix);
    if (dropped) {
      const { log, shuffles } = this.#parts;
      shuffles
        .dropOutputs(dropped)
        .catch((error: unknown) => log.warn({ err: error, prefix }, 'map outputs could not be dropped'));
    }
    this.#parts.blocks.drop(ids);
    // Results have the paths of their tasks for names.
    const content = ids.filter((id) => !id.includes('/'));
    if (content.length === 0) return;
    for (const hash of content) this.#blobs.drop(hash);
    this.#pool.dropBlobs(content);
  }

  #onMessage(message: DriverMessage): void {
    const { launch, kill, dropBlocks, dropApplication, drain, prefetch } = message;
    if (launch) for (const task of launch.tasks) this.#desk.launch(task);
    else if (prefetch) this.#desk.prefetch(prefetch.slot, prefetch.ranges);
    else if (kill?.key) this.#desk.kill(kill.key, kill.reason, kill.onlyWaiting);
    else if (dropBlocks) this.#dropBlocks(dropBlocks.blockIds, dropBlocks.prefix);
    else if (dropApplication)
      this.#desk.dropApplication(dropApplication.application, dropApplication.belowEpoch);
    else if (drain) void this.stop({ graceful: true, timeoutMs: drain.timeoutMs || STOP_TIMEOUT_MS });
  }
}

/** What the disk refuses to remove is removed by the next executor of this machine. */
async function removeQuietly(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true }).catch(() => undefined);
}

/** From source a .ts file, installed a .js one. */
function defaultSlotMain(): URL {
  const file = import.meta.url.endsWith('.ts') ? './slots/slot-main.ts' : './slots/slot-main.js';
  return new URL(file, import.meta.url);
}

import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  type Clock,
  type Logger,
  type OrphanReaper,
  resolveConfig,
  startOrphanReaper,
  systemClock,
} from '@millrace/common';
import {
  createWireServer,
  EXECUTOR_LINK,
  type ExecutorStatusInit,
  PROGRAMS,
  type SecurityOptions,
  SUBMISSION,
} from '@millrace/proto';
import { checkpointLocation, openCheckpointStore } from './application/checkpoint/checkpoint-store.ts';
import { ContentStore } from './cluster/content-store.ts';
import { ExecutorLinkService } from './cluster/executor-link-service.ts';
import { type ContentSource, programsHandlers } from './cluster/programs-service.ts';
import { ResultFetcher } from './cluster/result-fetcher.ts';
import type { RemoteResult } from './cluster/scheduler-messages.ts';
import { TaskScheduler } from './cluster/task-scheduler.ts';
import { DRIVER_OPTIONS, type DriverOptions, type DriverOptionsGiven } from './driver-options.ts';
import { hostEntry } from './host-process/host-entry.ts';
import { HostPool } from './host-process/host-pool.ts';
import { HostProcess } from './host-process/host-process.ts';
import { Applications } from './submission/applications.ts';
import { BundleStore } from './submission/bundle-store.ts';
import { makeDirectory, stateDirProblem } from './submission/state-dir.ts';
import { StateLock } from './submission/state-lock.ts';
import { submissionHandlers } from './submission/submission-service.ts';
import { SubmissionStore } from './submission/submission-store.ts';

export interface DriverDeps {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Module of application hosts; for tests. */
  readonly hostEntry?: string;
  /** What hosts inherit. Default: this process's, without the driver's secrets. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface StopDriverOptions {
  /** Running batches are finished first. */
  readonly graceful: boolean;
  readonly timeoutMs?: number;
}

export interface Driver {
  /** host:port */
  readonly address: string;
  readonly port: number;
  /** Live slots of all executors. */
  readonly slots: number;
  /** Ends hosts and server. Applications that run resume with the next driver on the same state directory. Idempotent. */
  stop(options: StopDriverOptions): Promise<void>;
  /** Rejects with FENCED when another driver has taken over the state directory: this one has ended then. */
  readonly ended: Promise<never>;
}

const DRAIN_TIMEOUT_MS = 30_000;
const CLOSE_MS = 500;

/**
 * Starts a driver: executors attach to it, jobs are submitted to it, and what ran before resumes.
 * @throws MillraceError CONFIG_INVALID, STATE_DIR_IN_USE, PORT_IN_USE, LOG_CORRUPT.
 */
export async function startDriver(given: DriverOptionsGiven, deps: DriverDeps): Promise<Driver> {
  const options = resolveConfig(DRIVER_OPTIONS, given, 'driver');
  const { logger, clock = systemClock } = deps;
  const stateDir = resolve(options.stateDir);
  const checkpointStore = checkpointLocation(options.checkpointStore, deps.environment ?? process.env);
  const security: SecurityOptions = { token: options.token, tls: options.tls };
  // Before anything is touched: a bind that is not allowed is refused here.
  const wire = createWireServer({ ...security, host: options.host, port: options.port });
  const asStateDir = (error: unknown): never => {
    throw stateDirProblem(stateDir, error);
  };
  const lock = await StateLock.take(stateDir, clock, logger).catch(asStateDir);

  const parts = createParts(options, deps, clock, security);
  const { link, scheduler, results, hosts, reaper } = parts;
  const applicationsDir = join(stateDir, 'applications');
  const checkpoints = await openCheckpointStore(checkpointStore, applicationsDir, { clock, logger });
  const close = async (): Promise<void> => {
    hosts.stop();
    // Of applications that were just being checked.
    reaper.reap();
    link.stop();
    scheduler.stop();
    results.close();
    await wire.close(CLOSE_MS);
    await checkpoints.close();
    await lock.release();
  };
  try {
    const logsDir = join(stateDir, 'logs');
    // What is in their way is found now, not by the first application.
    await Promise.all([applicationsDir, logsDir].map((path) => makeDirectory(path).catch(asStateDir)));
    const bundles = await BundleStore.open(stateDir, lock.assertHeld).catch(asStateDir);
    const content = new ContentStore(options.contentBytesMax, (hashes) => link.dropContent(hashes));
    const applications = new Applications({
      clock,
      logger,
      store: await SubmissionStore.open(stateDir, lock.assertHeld).catch(asStateDir),
      assertHeld: lock.assertHeld,
      bundles,
      hosts,
      scheduler,
      content,
      dropOnExecutors: (application, belowEpoch) => link.dropApplication(application, belowEpoch),
      applicationsDir,
      checkpointStore,
      checkpoints,
      logsDir,
      logBytesMax: options.logBytesMax,
      jobStartTimeoutMs: options.jobStartTimeoutMs,
    });
    await applications.load().catch(asStateDir);
    scheduler.onSlots((slots) => applications.tellSlots(slots));
    link.start({
      handle: (event) => scheduler.handle(event),
      epochs: () => applications.epochs(),
      lost: (info) => results.forget(info.blockAddress),
    });
    const contentOf: ContentSource = async (hash) => content.get(hash) ?? (await bundles.get(hash));
    const { bundleBytesMax, uploadTimeoutMs, stopTimeoutMs } = options;
    const executors = (): ExecutorStatusInit[] => executorStatuses(link, scheduler);
    wire.server.addService(EXECUTOR_LINK, link.handlers);
    wire.server.addService(PROGRAMS, programsHandlers(contentOf, checkpoints.readState));
    wire.server.addService(
      SUBMISSION,
      submissionHandlers({
        clock,
        logger,
        applications,
        executors,
        bundleBytesMax,
        uploadTimeoutMs,
        stopTimeoutMs,
      }),
    );
    const port = await wire.listen();
    applications.resume();
    hosts.start();
    const { host } = options;
    const address = host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
    logger.info({ address, stateDir }, 'driver started');
    return runningDriver({ address, port, scheduler, applications, lost: lock.lost, close, logger });
  } catch (error) {
    await close();
    throw error;
  }
}

interface ClusterParts {
  readonly link: ExecutorLinkService;
  readonly scheduler: TaskScheduler;
  readonly results: ResultFetcher;
  readonly hosts: HostPool;
  readonly reaper: OrphanReaper;
}

function createParts(
  options: DriverOptions,
  deps: DriverDeps,
  clock: Clock,
  security: SecurityOptions,
): ClusterParts {
  const { logger } = deps;
  const { heartbeatIntervalMs, executorTimeoutMs, executorsMax, resultBytesMax } = options;
  const results = new ResultFetcher({
    clock,
    security,
    resultBytesMax,
    fetchTimeoutMs: options.resultFetchTimeoutMs,
  });
  const link = new ExecutorLinkService({
    clock,
    logger,
    driverId: randomUUID(),
    heartbeatIntervalMs,
    executorTimeoutMs,
    executorsMax,
    registerTimeoutMs: 10_000,
  });
  const fetchResult = (block: RemoteResult): Promise<Uint8Array> => results.fetch(block);
  const scheduler = new TaskScheduler({ clock, logger, executors: link, fetchResult });
  const reaper = startOrphanReaper(logger);
  return { link, scheduler, results, hosts: hostPool(options, deps, clock, reaper), reaper };
}

function hostPool(options: DriverOptions, deps: DriverDeps, clock: Clock, reaper: OrphanReaper): HostPool {
  const { logger, environment = process.env, hostEntry: entry = hostEntry() } = deps;
  const fork = (): HostProcess =>
    new HostProcess({
      entry,
      clock,
      logger,
      environment,
      pingIntervalMs: options.hostPingIntervalMs,
      pongTimeoutMs: options.hostPongTimeoutMs,
      onPid: reaper.watch,
    });
  const { spareHost: spare, hostStartTimeoutMs: startTimeoutMs } = options;
  return new HostPool({ clock, logger, fork, spare, startTimeoutMs });
}

function executorStatuses(link: ExecutorLinkService, scheduler: TaskScheduler): ExecutorStatusInit[] {
  return link.list().map(({ info, ready, rssBytes, registeredAt }) => ({
    executorId: info.id,
    host: info.host,
    slots: info.slots,
    ready: ready.length,
    busy: scheduler.busyOf(info.id),
    pid: info.pid,
    rssBytes,
    registeredAt,
  }));
}

interface RunningParts {
  readonly address: string;
  readonly port: number;
  readonly scheduler: TaskScheduler;
  readonly applications: Applications;
  readonly lost: AbortSignal;
  readonly logger: Logger;
  readonly close: () => Promise<void>;
}

function runningDriver(parts: RunningParts): Driver {
  const { address, port, scheduler, applications, lost, logger, close } = parts;
  let stopped: Promise<void> | undefined;
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const driver: Driver = {
    address,
    port,
    get slots() {
      return scheduler.slots;
    },
    stop({ graceful, timeoutMs = DRAIN_TIMEOUT_MS }) {
      stopped ??= (async () => {
        logger.info({ graceful }, 'driver stopping');
        await applications.leave(graceful, timeoutMs);
        await close();
      })();
      return stopped;
    },
    ended: ended.promise,
  };
  const fenced = (): void => {
    const end = (): void => ended.reject(lost.reason);
    driver.stop({ graceful: false }).then(end, end);
  };
  lost.addEventListener('abort', fenced, { once: true });
  if (lost.aborted) fenced();
  return driver;
}

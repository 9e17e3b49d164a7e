import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type ErrorRecord, MillraceError, silentLogger, systemClock } from '@millrace/common';
import { VirtualClock } from '@millrace/testing';
import { ApplicationLog } from '../application/log/application-log.ts';
import type { PlannedBatch } from '../application/log/log-record.ts';
import { NO_SUMS } from '../application/log/logged-sums.ts';
import { MemoryLogFiles } from '../application/testing/memory-log-files.ts';
import { ContentStore } from '../cluster/content-store.ts';
import { TaskScheduler } from '../cluster/task-scheduler.ts';
import type { HostListener } from '../host-process/host-process.ts';
import type { ValidatedJob } from '../host-process/validate-job.ts';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { withKafkaTimeout } from '../kafka-away.ts';
import { Application, type ApplicationDeps } from './application.ts';
import { OutputLog } from './output-log.ts';
import type { SubmissionRecord } from './submission-store.ts';

const record: SubmissionRecord = {
  name: 'app',
  programHash: 'p',
  earlier: [],
  config: {},
  environment: {},
  desired: 'running',
  state: 'STOPPED',
  epoch: 0,
  submittedAt: 0,
};

const directory = mkdtempSync(join(tmpdir(), 'millrace-application-'));
const common = { clock: systemClock, logger: silentLogger };
const GONE = { code: 9, signal: null, unresponsive: false, outOfMemory: false };

afterAll(() => rmSync(directory, { recursive: true }));

async function depsOf(
  others: Partial<Record<keyof ApplicationDeps, unknown>> = {},
): Promise<ApplicationDeps> {
  const scheduler = new TaskScheduler({
    ...common,
    executors: {
      launch: () => undefined,
      prefetch: () => undefined,
      flush: () => undefined,
      kill: () => undefined,
      dropBlock: () => undefined,
      dropShuffle: () => undefined,
    },
    fetchResult: () => Promise.reject(new Error('none')),
  });
  return {
    ...common,
    scheduler,
    content: new ContentStore(0),
    store: { save: () => Promise.resolve() },
    dropOnExecutors: () => undefined,
    assertHeld: () => Promise.resolve(),
    jobStartTimeoutMs: 1_000,
    ...others,
  } as unknown as ApplicationDeps;
}

async function applicationOf(of: SubmissionRecord, deps: ApplicationDeps): Promise<Application> {
  const path = join(directory, `${of.name}-${randomUUID()}.log`);
  return new Application(of, await OutputLog.open({ ...common, path, bytesMax: 1024 }), deps);
}

/** A host that finds nothing wrong with its job. `granted`: what it does when it may run. */
class FakeHost {
  readonly pid = 77;
  exit: typeof GONE | undefined;
  readonly sent: string[] = [];
  readonly #granted: (host: FakeHost) => void;
  readonly #refusal: ErrorRecord | undefined;
  #listener: HostListener | undefined;

  /** `refusal`: why its job cannot start. */
  constructor(granted: (host: FakeHost) => void, refusal?: ErrorRecord) {
    this.#granted = granted;
    this.#refusal = refusal;
  }

  get job(): ValidatedJob {
    return { host: this, application: 'app', notes: [], notices: [], output: [] } as unknown as ValidatedJob;
  }

  listen(listener: HostListener): void {
    this.#listener = listener;
    if (this.exit) listener.exited(this.exit);
  }

  send({ kind }: DriverToHost): void {
    this.sent.push(kind);
    if (kind === 'start' && this.#refusal) this.say({ kind: 'refused', error: this.#refusal });
    else if (kind === 'start')
      this.say({ kind: 'validated', application: 'app', batchIntervalMs: 1, notes: [] });
    if (kind === 'name-granted') queueMicrotask(() => this.#granted(this));
  }

  say(message: HostToDriver): void {
    this.#listener?.message(message);
  }

  kill(): void {
    if (this.exit) return;
    this.exit = GONE;
    this.#listener?.exited(GONE);
  }
}

/** A log whose last batch was planned with `programHash`, and is not committed. */
function pendingLog(programHash: string): { readonly files: MemoryLogFiles; readonly pending: PlannedBatch } {
  const files = new MemoryLogFiles();
  const log = ApplicationLog.open({ files, logger: silentLogger, segmentBytes: 1e6, segmentsRetained: 1 });
  log.plan({ batchTime: 1, programHash, settings: '', planHash: 'h', intervals: 1, inputs: [] });
  const { pending } = log.state;
  if (!pending) throw new Error('nothing is pending');
  return { files, pending };
}

describe('an application', () => {
  it('has no host when that ended between its check and its start', async () => {
    const host = new FakeHost(() => undefined);
    host.exit = GONE;
    const application = await applicationOf(record, await depsOf());
    await expect(application.begin(record, host.job)).rejects.toMatchObject({ code: 'HOST_LOST' });
    expect(application.state).toBe('FAILED');
    expect(application.hostPid).toBe(0);
    await application.leave(false, 1_000);
  });

  it('that an earlier program could not finish a batch for is its own again when it is forced', async () => {
    const { files, pending } = pendingLog('p0');
    const unpacked = () => Promise.reject(new MillraceError('PROGRAM_MISSING', 'gone'));
    const checkpoints = { open: async () => ({ log: files }) };
    const deps = await depsOf({ bundles: { unpacked }, checkpoints });
    const application = await applicationOf(record, deps);
    const { programHash: _, ...rest } = record;
    const next = { ...record, earlier: [{ ...rest, programHash: 'p0' }] };
    await expect(application.begin(next, new FakeHost(() => undefined).job, pending)).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      remedy: expect.stringContaining('--with-new-program'),
    });

    const forced = { ...next, withNewProgram: true };
    const dies = new FakeHost((host) => host.kill());
    const lost: unknown = await application.begin(forced, dies.job, pending).catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: 'HOST_LOST' });
    expect((lost as MillraceError).remedy).not.toContain('--with-new-program');

    const ends = new FakeHost((host) => {
      host.say({ kind: 'started', application: 'app', epoch: 1, sums: NO_SUMS });
      host.say({ kind: 'event', event: { kind: 'ended' } });
      host.kill();
    });
    await application.begin(forced, ends.job, pending);
    // It made the batches that it was to make.
    expect(application.state).toBe('STOPPED');
    await application.leave(false, 1_000);
  });

  it('counts what its last host has committed and did not tell of', async () => {
    const { files } = pendingLog('p');
    const host = new FakeHost((granted) =>
      granted.say({ kind: 'started', application: 'app', epoch: 1, sums: NO_SUMS }),
    );
    const deps = await depsOf({ checkpoints: { open: async () => ({ log: files }) } });
    const application = await applicationOf(record, deps);
    await application.begin({ ...record, countedFrom: NO_SUMS }, host.job);
    const log = ApplicationLog.open({ files, logger: silentLogger, segmentBytes: 1e6, segmentsRetained: 1 });
    log.commit(log.state.pending?.batchTime ?? 0, {
      records: 960,
      tasks: 1,
      processingMs: 1,
      deadLetters: 2,
    });
    log.close();
    await application.stop('kill', 1_000);
    const deadline = systemClock.monotonic() + 5_000;
    while (application.totals.batches === 0 && systemClock.monotonic() < deadline) await systemClock.sleep(5);
    expect(application.totals).toMatchObject({ batches: 1, records: 960, deadLetters: 2 });
    await application.leave(false, 1_000);
  });

  it('waits for a Kafka that is away when its host starts again, however many starts that takes', async () => {
    const clock = new VirtualClock();
    const away = MillraceError.toRecord(new MillraceError('KAFKA_UNREACHABLE', 'no answer'));
    const refusal = withKafkaTimeout(away, 60_000);
    let starts = 0;
    const take = async (): Promise<FakeHost> => {
      starts += 1;
      return new FakeHost(() => undefined, refusal);
    };
    const deps = await depsOf({
      clock,
      bundles: { unpacked: async () => 'dir' },
      hosts: { take },
      checkpoints: { open: async () => ({ log: new MemoryLogFiles() }) },
    });
    const application = await applicationOf({ ...record, state: 'RUNNING' }, deps);
    application.resume();
    for (let rounds = 0; application.state !== 'FAILED' && rounds < 100; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (starts === 10) expect(application.state).toBe('STARTING');
      clock.advance(1_000);
    }
    expect(application.state).toBe('FAILED');
    expect(starts).toBe(61);
    expect(application.restarts).toBe(0);
    await application.leave(false, 1_000);
  });

  it('does not run after it was stopped while its host was about to be let go', async () => {
    const host = new FakeHost(() => undefined);
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const deps = await depsOf({
      bundles: { unpacked: async () => 'dir' },
      hosts: { take: async () => host },
      checkpoints: { open: async () => ({ log: new MemoryLogFiles() }) },
      assertHeld: () => {
        asked.resolve();
        return held.promise;
      },
    });
    const application = await applicationOf({ ...record, state: 'RUNNING' }, deps);
    application.resume();
    await asked.promise;
    await application.stop('now', 1_000);
    held.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.sent).toEqual(['start']);
    expect(host.exit).toBeDefined();
    expect(application.state).toBe('STOPPED');
    await application.leave(false, 1_000);
  });
});

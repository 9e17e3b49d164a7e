import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { ContentStore } from '../cluster/content-store.ts';
import { TaskScheduler } from '../cluster/task-scheduler.ts';
import type { HostListener } from '../host-process/host-process.ts';
import type { ValidatedJob } from '../host-process/validate-job.ts';
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

describe('an application', () => {
  it('has no host when that ended between its check and its start', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-application-'));
    const path = join(directory, 'app.log');
    const common = { clock: systemClock, logger: silentLogger };
    const log = await OutputLog.open({ ...common, path, bytesMax: 1024 });
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
    const deps = {
      ...common,
      scheduler,
      content: new ContentStore(0),
      store: { save: () => Promise.resolve() },
      dropOnExecutors: () => undefined,
      jobStartTimeoutMs: 1_000,
    } as unknown as ApplicationDeps;
    const exit = { code: 9, signal: null, unresponsive: false, outOfMemory: false };
    const host = {
      pid: 77,
      exit,
      listen: (listener: HostListener) => listener.exited(exit),
      send: () => undefined,
      kill: () => undefined,
    };
    const job = { host, application: 'app', notes: [], notices: [], output: [] } as unknown as ValidatedJob;
    const application = new Application(record, log, deps);
    await expect(application.begin(record, job)).rejects.toMatchObject({ code: 'HOST_LOST' });
    expect(application.state).toBe('FAILED');
    expect(application.hostPid).toBe(0);
    await application.leave(false, 1_000);
    rmSync(directory, { recursive: true });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Program } from '@millrace/closures';
import type { TaskKey } from '@millrace/proto';
import { ProgramShelf } from './program-shelf.ts';

let log: string[];
let failures: unknown[];
let shelf: ProgramShelf;

beforeEach(() => {
  log = [];
  failures = [];
  shelf = new ProgramShelf({
    programsMax: 2,
    onDisposeFailure: (error) => void failures.push(error),
    open: (dir) => {
      log.push(`open ${dir}`);
      if (dir === 'broken') return Promise.reject(new Error('broken'));
      return Promise.resolve({
        endTask: (batch) => Promise.resolve(void log.push(`end ${batch}`)),
        close: () => {
          log.push(`close ${dir}`);
          return dir === 'angry' ? Promise.reject(new Error('angry')) : Promise.resolve();
        },
      } as Partial<Program> as Program);
    },
  });
});

const key = (application: string, epoch = 1, batchTime = 7): TaskKey => ({
  application,
  epoch,
  batchTime,
  job: 1,
  stage: 1,
  partition: 0,
  attempt: 0,
});
const run = (application: string, dir: string, epoch = 1): void =>
  shelf.lease(key(application, epoch), dir, dir).release();
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('programs of a slot', () => {
  it('are opened once for an application, and told of the end of each task', async () => {
    run('a', 'p');
    run('a', 'p');
    run('b', 'p');
    await settled();
    expect(log).toEqual(['open p', 'open p', 'end 7', 'end 7', 'end 7']);
  });

  it('are closed when their application is over, by epoch, as soon as no task uses them', async () => {
    run('a', 'p', 3);
    run('b', 'q', 3);
    shelf.dropApplication('a', 3);
    await settled();
    expect(log).not.toContain('close p');
    const lease = shelf.lease(key('a', 3), 'p', 'p');
    shelf.dropApplication('a', 4);
    await settled();
    expect(log).not.toContain('close p');
    lease.release();
    await settled();
    expect(log.filter((line) => line.startsWith('close'))).toEqual(['close p']);
    run('a', 'p', 4);
    expect(log.at(-1)).toBe('open p');
  });

  it('leave by least recent use, but not from under a task', async () => {
    const lease = shelf.lease(key('a'), 'p', 'p');
    run('a', 'q');
    run('a', 'r');
    await settled();
    expect(log.filter((line) => line.startsWith('close'))).toEqual(['close q']);
    lease.release();
  });

  it('that do not open are tried again by the next task', async () => {
    const lease = shelf.lease(key('a'), 'broken', 'broken');
    await expect(lease.program).rejects.toThrow('broken');
    lease.release();
    run('a', 'broken');
    await shelf.close();
    expect([log, failures]).toEqual([['open broken', 'open broken'], []]);
  });

  it('close all at the end; what could not be disposed is reported', async () => {
    run('a', 'p');
    run('a', 'angry');
    await shelf.close();
    expect(log.slice(-2).toSorted()).toEqual(['close angry', 'close p']);
    expect(failures).toEqual([new Error('angry')]);
  });
});

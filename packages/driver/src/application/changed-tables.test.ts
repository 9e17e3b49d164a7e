import { describe, expect, it } from '@jest/globals';
import type { PostgresSinkOptions } from '@millrace/api';
import { encodeResult } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { decodeStage } from '@millrace/proto/task';
import { completed, start } from '../../test/run-application.ts';
import { type World, world } from '../../test/world.ts';
import type { TaskSet } from '../task-backend.ts';
import type { TaskOutcome } from './testing/fake-backend.ts';
import { pump } from './testing/pump.ts';
import { stream } from './testing/run-engine.ts';

const writesTo =
  (tables: Pick<PostgresSinkOptions<unknown>, 'progressTable'>): World['build'] =>
  (ssc) =>
    stream(ssc, 'views').toPostgres('rows', { pool: () => ({ connect: fail }), write: fail, ...tables });

function fail(): never {
  throw new Error('no task runs here');
}

const done = (): TaskOutcome => ({ records: 0, result: encodeResult(undefined) });

function unlessItWrites(set: TaskSet): TaskOutcome {
  if (decodeStage(set.stage).action.kind !== 'postgresWrite') return done();
  return { error: MillraceError.toRecord(new MillraceError('USER_CODE', 'unlucky', { retryable: false })) };
}

describe('a batch that may be in PostgreSQL in part', () => {
  it('is not run by a program that looks for its rows in another table of progress', async () => {
    const setup = world(writesTo({}), { perform: unlessItWrites });
    const { engine } = await start(setup);
    expect(await pump(setup.clock, engine.done)).toMatchObject({ code: 'USER_CODE' });
    const changed = { ...setup, programHash: 'another', perform: done };
    await expect(
      start({ ...changed, build: writesTo({ progressTable: 'other_progress' }) }),
    ).rejects.toMatchObject({
      code: 'OUTPUT_CONFLICT',
      what: expect.stringContaining('does not have: postgres:rows'),
    });
    const same = await start({ ...changed, build: writesTo({ progressTable: 'millrace_progress' }) });
    await completed(setup, same, 1);
    same.engine.stop({ mode: 'now' });
    await pump(setup.clock, same.engine.done);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { runCaptured } from '../testing/captured-run.ts';
import { type FakeDriver, type FakeDriverScript, startFakeDriver } from '../testing/fake-driver.ts';

let driver: FakeDriver | undefined;
afterEach(async () => {
  await driver?.close();
  driver = undefined;
});

const AT = Date.parse('2026-11-21T10:00:00Z');
const SCRIPT: FakeDriverScript = {
  applications: [
    {
      application: 'views',
      programId: 'c'.repeat(64),
      programHash: 'c'.repeat(64),
      submittedAt: AT + 60_000,
      earlierPrograms: [
        { programId: 'b'.repeat(64), programHash: 'a'.repeat(64), submittedAt: AT + 1_000 },
        { programId: 'a'.repeat(64), programHash: 'a'.repeat(64), submittedAt: AT },
      ],
    },
  ],
};

async function run(argv: readonly string[]) {
  driver = await startFakeDriver(SCRIPT);
  return runCaptured(argv, { env: { MILLRACE_DRIVER: driver.address }, cwd: '/' });
}

describe('rollback', () => {
  it('shows the programs that are kept, the current one first, and rolls nothing back', async () => {
    const { exitCode, out } = await run(['rollback', 'views', '--list']);
    expect(exitCode).toBe(0);
    expect(out.replaceAll(/\(.*? ago\)/g, '(ago)').split('\n')).toEqual([
      'cccccccccccc  submitted 2026-11-21T10:01:00.000Z (ago), the current one',
      'bbbbbbbbbbbb  submitted 2026-11-21T10:00:01.000Z (ago)',
      'aaaaaaaaaaaa  submitted 2026-11-21T10:00:00.000Z (ago)',
      '',
    ]);
    expect(driver?.rollbacks).toEqual([]);
  });

  it('gives them as one JSON document', async () => {
    const { out } = await run(['rollback', 'views', '--list', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      application: 'views',
      current: { programId: 'c'.repeat(64) },
      earlier: [{ submittedAt: AT + 1_000 }, { submittedAt: AT }],
    });
  });

  it('asks for the one that is named, or the last one, and says what runs', async () => {
    const { exitCode, out, err } = await run(['rollback', 'views', '--to', 'bbbb', '--detach']);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'views\n' });
    expect(err).toContain('a note');
    expect(driver?.rollbacks).toEqual([{ application: 'views', to: 'bbbb', withNewProgram: false }]);
    await driver?.close();
    await run(['rollback', 'views', '--with-new-program', '--detach']);
    expect(driver?.rollbacks).toEqual([{ application: 'views', to: '', withNewProgram: true }]);
  });

  it('refuses what is no id, and a list of one', async () => {
    const { exitCode, err } = await run(['rollback', 'views', '--to', 'xyz', '--list']);
    expect(exitCode).toBe(2);
    expect(err).toContain('xyz');
    expect(err).toContain('--list or --to');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from './logger.ts';
import { startOrphanReaper } from './orphan-reaper.ts';

describe('the orphan reaper', () => {
  const sleeper = () => spawn('sleep', ['60'], { stdio: 'ignore' });

  it('kills the children that are left when their parent dies, and only those', async () => {
    const [orphan, done, other] = [sleeper(), sleeper(), sleeper()];
    const script = `
      import { startOrphanReaper } from ${JSON.stringify(new URL('./orphan-reaper.ts', import.meta.url).href)};
      const reaper = startOrphanReaper({ warn() {} });
      for (const pid of [${orphan.pid}, ${done.pid}]) reaper.watch(pid, true);
      reaper.watch(${done.pid}, false);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
    `;
    const parent = spawn(
      process.execPath,
      ['--conditions=@millrace/source', '--input-type=module', '-e', script],
      { stdio: 'ignore' },
    );
    await Promise.all([once(parent, 'exit'), once(orphan, 'exit')]);
    expect(orphan.signalCode).toBe('SIGKILL');
    expect([done.signalCode, other.signalCode]).toEqual([null, null]);
    done.kill();
    other.kill();
  }, 20_000);

  it('kills nobody when it is closed', async () => {
    const child = sleeper();
    const reaper = startOrphanReaper(silentLogger);
    reaper.watch(child.pid ?? 0, true);
    reaper.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.signalCode).toBeNull();
    child.kill();
  });

  it('kills whoever is left when it is asked to', async () => {
    const child = sleeper();
    const reaper = startOrphanReaper(silentLogger);
    reaper.watch(child.pid ?? 0, true);
    reaper.reap();
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
  });
});

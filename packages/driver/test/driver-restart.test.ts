import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { isAlive } from '@millrace/common';
import { FAKE_HOST, newStateDir, TestClient, until } from './driver-fixture.ts';
import { FakeExecutor } from './fake-executor.ts';
import { useDrivers } from './use-drivers.ts';

const { onEnd } = useDrivers();

async function driverProcess(
  stateDir: string,
  port = 0,
): Promise<{ process: ChildProcess; address: string }> {
  const main = fileURLToPath(new URL('./driver-main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', main, JSON.stringify({ stateDir, port }), FAKE_HOST],
    { stdio: ['ignore', 'pipe', process.env['TEST_LOGS'] === undefined ? 'ignore' : 'inherit'] },
  );
  onEnd(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return { process: child, address: line.toString().trim() };
}

describe('a driver that is killed', () => {
  it('resumes what ran, and nothing else, under a new epoch when it is started again', async () => {
    const stateDir = await newStateDir();
    const first = await driverProcess(stateDir);
    const client = new TestClient(first.address);
    onEnd(() => client.channel.close());
    await client.submit({ name: 'running', tasks: 2, pauseMs: 20 });
    await client.submit({ name: 'stopped' });
    await client.stop('stopped');
    const { hostPid } = await client.status('running');
    const before = await client.events('running', 0, ({ state }) => state?.state === 'RUNNING');
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');

    const port = Number(first.address.split(':')[1]);
    const second = await driverProcess(stateDir, port);
    const later = new TestClient(second.address);
    onEnd(() => later.channel.close());
    const executor = new FakeExecutor({ address: second.address, id: 'e0' });
    onEnd(() => executor.kill());
    const after = before.at(-1)?.sequence ?? 0;
    const events = await later.events('running', after, (event) => event.batchCompleted?.number === 2);
    expect(events[0]?.sequence).toBeGreaterThan(after);
    expect(await later.status('running')).toMatchObject({ state: 'RUNNING', epoch: 2 });
    expect(await later.state('stopped')).toBe('STOPPED');
    expect(executor.launched.every(({ key }) => key?.epoch === 2)).toBe(true);
    await until('the end of the old host', () => !isAlive(hostPid));

    second.process.kill('SIGTERM');
    const [code] = (await once(second.process, 'exit')) as [number];
    expect(code).toBe(0);
  });

  it('still knows what it was asked to do and has counted: to begin anew, and so many batches', async () => {
    const stateDir = await newStateDir();
    const first = await driverProcess(stateDir);
    const client = new TestClient(first.address);
    onEnd(() => client.channel.close());
    await client.submit({ name: 'app' });
    await client.stop('app');
    // Its host never says that it has begun: the driver dies before.
    void client
      .submit({ name: 'app', does: 'hang-when-granted' }, { startAnew: true })
      .catch(() => undefined);
    const told = async (from: TestClient, line: string): Promise<void> =>
      until(line, async () => (await from.logs('app')).some((each) => each.endsWith(line)));
    await told(client, 'knows epoch 1, begins anew');
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');

    const second = await driverProcess(stateDir);
    const later = new TestClient(second.address);
    onEnd(() => later.channel.close());
    await until('it again', async () => {
      const lines = await later.logs('app');
      return lines.filter((each) => each.endsWith('knows epoch 1, begins anew')).length === 2;
    });
    await later.stop('app', 'KILL');
    // A later submission that does not ask for it goes on.
    await later.submit({ name: 'app', tasks: 1, batches: 3 });
    await told(later, 'knows epoch 1');
    const executor = new FakeExecutor({ address: second.address, id: 'e0' });
    onEnd(() => executor.kill());
    await until('three batches', async () => (await later.status('app')).batches === 3);
    await until('that they are kept', async () =>
      (await readFile(join(stateDir, 'submissions', 'app.json'), 'utf8')).includes('"batches":3'),
    );
    second.process.kill('SIGKILL');
    await once(second.process, 'exit');
    const third = await driverProcess(stateDir);
    const last = new TestClient(third.address);
    onEnd(() => last.channel.close());
    expect((await last.status('app')).batches).toBeGreaterThanOrEqual(3);
  });

  it('leaves no host behind that is too busy to notice', async () => {
    const { process: driver, address } = await driverProcess(await newStateDir());
    const client = new TestClient(address);
    onEnd(() => client.channel.close());
    await client.submit({ name: 'busy', does: 'hang' });
    const { hostPid } = await client.status('busy');
    onEnd(() => isAlive(hostPid) && process.kill(hostPid, 'SIGKILL'));
    driver.kill('SIGKILL');
    await once(driver, 'exit');
    await until('the end of the busy host', () => !isAlive(hostPid));
  });
});

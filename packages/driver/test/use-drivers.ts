import { afterEach } from '@jest/globals';
import type { Driver } from '../src/driver.ts';
import { startTestDriver, TestClient } from './driver-fixture.ts';
import { FakeExecutor } from './fake-executor.ts';

/** Drivers, their clients and executors: what a test has started ends after it, the last first. Call it at the top of a test file. */
export function useDrivers() {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  function onEnd(stop: () => unknown): void {
    stops.push(stop);
  }

  async function driverWith(
    options: Parameters<typeof startTestDriver>[0] = {},
  ): Promise<{ driver: Driver; client: TestClient }> {
    const driver = await startTestDriver(options);
    onEnd(() => driver.stop({ graceful: false }));
    const client = new TestClient(driver.address, options?.token as string | undefined);
    onEnd(() => client.channel.close());
    return { driver, client };
  }

  function executor(options: ConstructorParameters<typeof FakeExecutor>[0]): FakeExecutor {
    const started = new FakeExecutor(options);
    onEnd(() => started.kill());
    return started;
  }

  return { onEnd, driverWith, executor };
}

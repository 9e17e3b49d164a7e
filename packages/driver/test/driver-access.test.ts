import { Client, credentials } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { deadlineIn, EXECUTOR_LINK, PROGRAMS, SUBMISSION } from '@millrace/proto';
import { newStateDir, startTestDriver, TestClient } from './driver-fixture.ts';
import { useDrivers } from './use-drivers.ts';

const { onEnd } = useDrivers();
const raw = (bytes: Buffer): Buffer => bytes;

describe('a driver with a token', () => {
  it('refuses every method of every service without it, and with a wrong one', async () => {
    const driver = await startTestDriver({ token: 'right' });
    onEnd(() => driver.stop({ graceful: false }));
    const client = new Client(driver.address, credentials.createInsecure());
    onEnd(() => client.close());
    let methods = 0;
    for (const service of [EXECUTOR_LINK, PROGRAMS, SUBMISSION]) {
      for (const method of Object.values(service) as { readonly path: string }[]) {
        methods++;
        const call = client.makeBidiStreamRequest(method.path, raw, raw, deadlineIn(5_000));
        const ended = new Promise<{ code?: number }>((resolve) => call.on('error', resolve));
        call.on('data', () => undefined);
        call.write(Buffer.alloc(0));
        expect([method.path, (await ended).code]).toEqual([method.path, 16]);
      }
    }
    expect(methods).toBe(13);
    const wrong = new TestClient(driver.address, 'wrong');
    onEnd(() => wrong.channel.close());
    await expect(wrong.status('x')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const right = new TestClient(driver.address, 'right');
    onEnd(() => right.channel.close());
    await expect(right.status('x')).rejects.toMatchObject({ code: 'APPLICATION_UNKNOWN' });
  });

  it('is needed off loopback', async () => {
    await expect(startTestDriver({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('starting a driver', () => {
  it('refuses a state directory that is in use, a port that is taken, and unknown options', async () => {
    const stateDir = await newStateDir();
    const driver = await startTestDriver({ stateDir });
    await expect(startTestDriver({ stateDir })).rejects.toMatchObject({ code: 'STATE_DIR_IN_USE' });
    await expect(startTestDriver({ port: driver.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await expect(startTestDriver({ prot: 1 } as never)).rejects.toThrow(/did you mean "port"/);
    await driver.stop({ graceful: true });
    const again = await startTestDriver({ stateDir });
    await again.stop({ graceful: true });
  });
});

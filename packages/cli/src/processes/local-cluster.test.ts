import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { exitCodeOf } from '../exit-codes.ts';
import { LocalCluster } from './local-cluster.ts';

describe('a cluster on this machine', () => {
  it('that cannot have its port ends as the driver itself would: with its words and its exit code', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-local-'));
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const options = { brokers: 'nowhere:1', brokerPort: 0, driverPort: port, executors: 1, slots: 1 };
      const paths = { logDir: directory, stateDir: join(directory, 'state') };
      const failure = await LocalCluster.start(
        { ...options, ...paths, clock: systemClock },
        new AbortController().signal,
      ).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'PROCESS_ENDED',
        what: expect.stringContaining(`:${port}: the port is already taken [PORT_IN_USE]`),
      });
      expect(failure).toMatchObject({ remedy: expect.stringContaining('--port') });
      expect(exitCodeOf(failure)).toBe(6);
    } finally {
      other.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

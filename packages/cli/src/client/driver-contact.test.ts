import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Clock, MillraceError, systemClock } from '@millrace/common';
import { type ContactOptions, contactDriver } from './driver-contact.ts';

/** Attempts that fail take as long as they may, on a clock that jumps; probes are real. */
function contact(address: string, rest: Partial<ContactOptions> = {}) {
  let now = 0;
  const clock: Clock = { ...systemClock, monotonic: () => now };
  const attempts: number[] = [];
  const said: string[] = [];
  const attempt = async (ms: number): Promise<void> => {
    attempts.push(ms);
    now += Math.min(ms, 3_000);
    throw new MillraceError('DRIVER_UNREACHABLE', 'no');
  };
  const onWaiting = (text: string): void => void said.push(text);
  const ended = contactDriver({ address, clock, timeoutMs: 60_000, attempt, onWaiting, ...rest });
  return { ended, said, attempts, elapsed: () => now };
}

const servers: Server[] = [];
async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('the first contact with a driver', () => {
  it('says nothing when it is quick', async () => {
    const { ended, said } = contact('127.0.0.1:1', { attempt: async () => undefined });
    await ended;
    expect(said).toEqual([]);
  });

  it('tries on for a few seconds where nobody listens, says so after one, and gives up', async () => {
    const { ended, said, attempts, elapsed } = contact('127.0.0.1:1');
    await expect(ended).rejects.toMatchObject({
      code: 'DRIVER_UNREACHABLE',
      what: 'no answer from 127.0.0.1:1 within 5.00s: nothing listens there',
      remedy: expect.stringContaining('`millrace driver`'),
    });
    expect(said).toEqual(['waiting for the driver at 127.0.0.1:1: nothing listens there yet']);
    expect([attempts[0], elapsed()]).toEqual([1_000, 5_000]);
  });

  it('finds a driver that comes up meanwhile', async () => {
    let tries = 0;
    const { ended } = contact('127.0.0.1:1', {
      attempt: async () => {
        tries += 1;
        if (tries < 2) throw new MillraceError('DRIVER_UNREACHABLE', 'no');
      },
    });
    await ended;
    expect(tries).toBe(2);
  });

  it('gives a stranger a few seconds to make room for a driver', async () => {
    const address = await listening(createServer((socket) => void socket.destroy()));
    const { ended, said } = contact(address);
    await expect(ended).rejects.toMatchObject({
      what: `no answer from ${address} within 5.00s: something listens there, but it is not a driver`,
    });
    expect(said).toEqual([`waiting for the driver at ${address}`]);
  });

  it('waits its whole time for one that may be a driver', async () => {
    const address = await listening(createHttp2Server());
    const { ended, elapsed } = contact(address);
    await expect(ended).rejects.toMatchObject({ what: `no answer from ${address} within 1m00s` });
    expect(elapsed()).toBe(60_000);
  });

  it('says at once that one side only has TLS', async () => {
    const clear = await listening(createHttp2Server());
    const toClear = contact(clear, { tls: {} });
    await expect(toClear.ended).rejects.toMatchObject({
      what: `no answer from ${clear} within 1.00s: it speaks no TLS, and this side does`,
    });
    expect(toClear.said).toEqual([]);
    // Without a certificate it gets as far as an alert.
    const secure = await listening(createTlsServer());
    await expect(contact(secure).ended).rejects.toMatchObject({
      what: `no answer from ${secure} within 1.00s: it expects TLS`,
    });
    await expect(contact(secure, { tls: {} }).ended).rejects.toMatchObject({
      what: expect.stringMatching(/within 1\.00s: TLS does not get through: ERR_SSL_.*ALERT/),
    });
  });

  it('names a host that DNS does not know', async () => {
    await expect(contact('nohost.invalid:7077', { timeoutMs: 500 }).ended).rejects.toMatchObject({
      what: 'no answer from nohost.invalid:7077 within 0.50s: the name does not resolve (DNS)',
    });
  });
});

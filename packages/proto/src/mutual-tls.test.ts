import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assertRole } from './certificate-role.ts';
import { callUnary, clientChannel } from './client-channel.ts';
import type { TlsOptions } from './credentials.ts';
import type { ApplicationStatus, ApplicationStatusInit, HeartbeatReply, StatusRequest } from './messages.ts';
import { EXECUTOR_LINK, SUBMISSION } from './services.ts';
import { createWireServer, unaryHandler, type WireServer } from './wire-server.ts';

describe('the role of a certificate', () => {
  const may = (method: string, names?: string): boolean => {
    try {
      assertRole(`/millrace.v1.${method}`, names);
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    ['Submission/Submit', 'client'],
    ['ExecutorLink/Attach', 'executor'],
    ['Programs/Get', 'executor'],
    ['Blocks/Fetch', 'driver executor'],
    ['Unheard/Of', ''],
  ])('%s may be called by: %s', (method, callers) => {
    const allowed = ['driver', 'executor', 'client'].filter((role) => may(method, `URI:millrace:${role}`));
    expect(allowed.join(' ')).toBe(callers);
  });

  it('is one of the names, not a part of one', () => {
    expect(may('Submission/Submit', 'DNS:host-1, URI:millrace:executor, URI:millrace:client')).toBe(true);
    for (const names of [
      undefined,
      '',
      'URI:millrace:clients',
      'DNS:millrace:client',
      'URI:"a, URI:millrace:client, b"',
      'DNS:"\\", URI:millrace:client, "',
    ])
      expect(may('Submission/Submit', names)).toBe(false);
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const suite = hasOpenssl() ? describe : describe.skip;

suite('a server with mutual TLS (skipped without openssl)', () => {
  const TOKEN = 's3cret';
  let dir = '';
  let server: WireServer;
  let port = 0;

  function openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore', timeout: 30_000 });
  }

  /** A certificate of the authority `ca` for localhost and one more name, made when it is first asked for. */
  function certificate(name: string, alternativeName: string, ca = 'ca'): Required<TlsOptions> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(dir, `${name}.ext`), `subjectAltName=DNS:localhost,${alternativeName}\n`);
    const by = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      ...by,
      '-in',
      `${name}.csr`,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
    const text = (file: string): string => readFileSync(join(dir, file), 'utf8');
    return { ca: text('ca.pem'), cert: text(`${name}.pem`), key: text(`${name}.key`) };
  }

  /** What becomes of a call of a client's method and one of an executor's. */
  async function outcomes(tls: TlsOptions, token: string | undefined = TOKEN): Promise<readonly string[]> {
    const channel = clientChannel({ address: `localhost:${port}`, token, tls });
    const calls = [
      callUnary<ApplicationStatus>('status', (done) => channel.submission.status({}, done)),
      callUnary<HeartbeatReply>('heartbeat', (done) => channel.executorLink.heartbeat({}, done)),
    ];
    try {
      return await Promise.all(
        calls.map((call) =>
          call.then(
            () => 'ok',
            (error: { code: string }) => error.code,
          ),
        ),
      );
    } finally {
      channel.close();
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    for (const ca of ['ca', 'stranger'])
      openssl(
        'req',
        '-x509',
        ...key,
        '-days',
        '2',
        '-subj',
        `/CN=${ca}`,
        '-keyout',
        `${ca}.key`,
        '-out',
        `${ca}.pem`,
      );
    const tls = certificate('driver', 'URI:millrace:driver');
    server = createWireServer({ host: 'localhost', port: 0, token: TOKEN, tls });
    server.server.addService(SUBMISSION, {
      Status: unaryHandler<StatusRequest, ApplicationStatusInit>(() => ({})),
    });
    server.server.addService(EXECUTOR_LINK, { Heartbeat: unaryHandler(() => ({ known: true })) });
    port = await server.listen();
  }, 60_000);

  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('answers each role what it may call', async () => {
    expect(await outcomes(certificate('client', 'URI:millrace:client'))).toEqual(['ok', 'PERMISSION_DENIED']);
    expect(await outcomes(certificate('executor', 'URI:millrace:executor'))).toEqual([
      'PERMISSION_DENIED',
      'ok',
    ]);
    const both = certificate('both', 'URI:millrace:executor,URI:millrace:client');
    expect(await outcomes(both)).toEqual(['ok', 'ok']);
  });

  it('answers nobody without a role, without the token, without a certificate or with one of another authority', async () => {
    const client = certificate('client-2', 'URI:millrace:client');
    const plain = certificate('plain', 'DNS:plain');
    const foreign = certificate('foreign', 'URI:millrace:client', 'stranger');
    expect(await outcomes(plain)).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED']);
    expect(await outcomes(client, 'guessed')).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    for (const tls of [{ ca: client.ca }, foreign])
      expect(await outcomes(tls)).toEqual(['DRIVER_UNREACHABLE', 'DRIVER_UNREACHABLE']);
  });
});

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const OPENSSL_MS_MAX = 30_000;

/** PEM texts, and files for a broker: key and certificate of localhost in one, the CA in the other. */
export interface TestCertificates {
  readonly ca: string;
  readonly clientKey: string;
  readonly clientCert: string;
  readonly serverFile: string;
  readonly caFile: string;
}

export async function hasOpenssl(): Promise<boolean> {
  try {
    await run('openssl', ['version'], { timeout: OPENSSL_MS_MAX });
    return true;
  } catch {
    return false;
  }
}

/** A CA, a server certificate for localhost and 127.0.0.1, and one for a client, valid for two days. */
export async function testCertificates(directory: string): Promise<TestCertificates> {
  const file = (name: string): string => join(directory, name);
  const openssl = async (...args: readonly string[]): Promise<void> => {
    await run('openssl', args, { timeout: OPENSSL_MS_MAX });
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    ...['req', '-x509', ...ec, '-days', '2', '-subj', '/CN=millrace-test-ca'],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  await writeFile(file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    await openssl(
      ...['req', ...ec, '-subj', `/CN=${name}`],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)],
    );
    await openssl(
      ...['x509', '-req', '-days', '2', '-in', file(`${name}.csr`), '-extfile', file('san')],
      ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-out', file(`${name}.pem`)],
    );
  }
  const text = (name: string): Promise<string> => readFile(file(name), 'utf8');
  await writeFile(file('server-both.pem'), (await text('server.key')) + (await text('server.pem')));
  return {
    ca: await text('ca.pem'),
    clientKey: await text('client.key'),
    clientCert: await text('client.pem'),
    serverFile: file('server-both.pem'),
    caFile: file('ca.pem'),
  };
}

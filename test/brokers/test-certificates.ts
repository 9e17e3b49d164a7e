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
  // None of the arguments has a blank in it but file names, which come as they are.
  const openssl = async (args: string, files: Readonly<Record<string, string>>): Promise<void> => {
    const argv = [...args.split(' '), ...Object.entries(files).flatMap(([flag, name]) => [flag, file(name)])];
    await run('openssl', argv, { timeout: OPENSSL_MS_MAX });
  };
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  await openssl(`req -x509 ${newKey} -days 2 -subj /CN=millrace-test-ca`, {
    '-keyout': 'ca.key',
    '-out': 'ca.pem',
  });
  await writeFile(file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    const request = `${name}.csr`;
    await openssl(`req ${newKey} -subj /CN=${name}`, { '-keyout': `${name}.key`, '-out': request });
    await openssl('x509 -req -days 2 -CAcreateserial', {
      '-in': request,
      '-extfile': 'san',
      '-CA': 'ca.pem',
      '-CAkey': 'ca.key',
      '-out': `${name}.pem`,
    });
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

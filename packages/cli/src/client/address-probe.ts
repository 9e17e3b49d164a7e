import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Clock } from '@millrace/common';
import type { TlsOptions } from '@millrace/proto';

/**
 * What a connection to an address meets. nobody: it is refused. clear, tls: what a driver may be, without and with TLS. stranger: something
 * that cannot be one. silence: no answer in time.
 */
export type Listener =
  | { readonly kind: 'nobody' | 'unknown-host' | 'silence' | 'clear' | 'stranger' }
  /** `refusal`: why this side's TLS does not accept the other, or is not accepted; '' when they would get on. */
  | { readonly kind: 'tls'; readonly refusal: string };

export interface ProbedAddress {
  /** host:port; an IPv6 address in brackets. */
  readonly address: string;
  /** What this side would use. */
  readonly tls?: TlsOptions | undefined;
}

// Of each of the two connections.
const PROBE_MS = 1_000;
/** How an HTTP/2 client begins (RFC 9113, 3.4), with an empty SETTINGS frame (type 4). The other side answers with one of its own. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const SETTINGS = 4;
const FRAME_TYPE_AT = 3;

/** gRPC keeps why it does not connect to itself; this finds out. Never rejects, and ends within two seconds. */
export async function probeAddress({ address, tls }: ProbedAddress, clock: Clock): Promise<Listener> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const target = { host, port: Number(address.slice(at + 1)) };
  const clear = await met(connect(target), clock, (socket, settle) => {
    socket.once('connect', () => socket.write(PREFACE));
    socket.once('data', (data) => settle({ kind: data[FRAME_TYPE_AT] === SETTINGS ? 'clear' : 'stranger' }));
    // Hung up on, without a word or in the middle of one: by a stranger, or by one who wants TLS.
    socket.once('close', () => settle({ kind: 'stranger' }));
  });
  return clear.kind === 'stranger' ? await probeTls(target, tls, clock) : clear;
}

async function probeTls(
  target: { readonly host: string; readonly port: number },
  tls: TlsOptions | undefined,
  clock: Clock,
): Promise<Listener> {
  let isTls = false;
  // As if all were well, so that there is an answer to look at; what does not fit is found in it.
  const options: ConnectionOptions = { ...target, ...tls, ALPNProtocols: ['h2'], rejectUnauthorized: false };
  const secure = connectTls(options);
  const found = await met(secure, clock, (socket, settle) => {
    secure.once('secureConnect', () => {
      isTls = true;
      const { authorizationError } = secure;
      if (authorizationError) settle({ kind: 'tls', refusal: String(authorizationError) });
      else socket.write(PREFACE);
    });
    socket.once('data', () => settle({ kind: 'tls', refusal: '' }));
    // Without a certificate it is told so by an alert after the handshake (TLS 1.3).
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const { code = '' } = error;
      if (code.startsWith('ERR_SSL_') && (isTls || code.includes('ALERT')))
        settle({ kind: 'tls', refusal: code });
    });
    socket.once('close', () => settle(isTls ? { kind: 'tls', refusal: 'it hung up' } : { kind: 'stranger' }));
  });
  return found;
}

/** What `listen` says of a connection first; a failure to connect, or silence. The connection is closed afterwards. */
async function met(
  socket: Socket,
  clock: Clock,
  listen: (socket: Socket, settle: (listener: Listener) => void) => void,
): Promise<Listener> {
  const { promise, resolve } = Promise.withResolvers<Listener>();
  const timer = clock.schedule(PROBE_MS, () => resolve({ kind: 'silence' }));
  listen(socket, resolve);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const kind = CONNECT_ERRORS[error.code ?? ''];
    if (kind !== undefined) resolve({ kind });
  });
  try {
    return await promise;
  } finally {
    timer.cancel();
    socket.destroy();
  }
}

/** Others mean that there was a connection: its end says the rest. */
const CONNECT_ERRORS: Readonly<Record<string, 'nobody' | 'unknown-host' | 'silence'>> = {
  ECONNREFUSED: 'nobody',
  ENOTFOUND: 'unknown-host',
  EAI_AGAIN: 'unknown-host',
  EHOSTUNREACH: 'silence',
  ENETUNREACH: 'silence',
  ETIMEDOUT: 'silence',
};

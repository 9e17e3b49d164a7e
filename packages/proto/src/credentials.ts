import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  ChannelCredentials,
  InterceptingCall,
  type Interceptor,
  type Metadata,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { MillraceError } from '@millrace/common';
import { assertRole } from './certificate-role.ts';
import { statusOf } from './status.ts';

/** PEM texts. On a server, `ca` makes it mutual: every client then needs a certificate of that authority. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface SecurityOptions {
  /** Shared secret: every call carries it. Absent or '': none is asked for. */
  readonly token?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

const AUTHORIZATION = 'authorization';

/** @throws MillraceError CONFIG_INVALID when TLS lacks certificate or key. */
export function serverCredentials(options: SecurityOptions): ServerCredentials {
  const { tls } = options;
  if (tls === undefined) return ServerCredentials.createInsecure();
  if (tls.cert === undefined || tls.key === undefined)
    throw new MillraceError('CONFIG_INVALID', 'TLS of a server needs a certificate and its key');
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
  // There is no mode with optional client certificates: an authority is given and binding, or absent.
  return tls.ca === undefined
    ? ServerCredentials.createSsl(null, [pair], false)
    : ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
}

export function channelCredentials(options: SecurityOptions): ChannelCredentials {
  const { tls } = options;
  if (tls === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(pemBytes(tls.ca), pemBytes(tls.key), pemBytes(tls.cert));
}

function pemBytes(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

/**
 * Refuses every call of every service, before any of its messages is read: without the token, when there is one; with mutual TLS,
 * when the caller's certificate does not name a role that may make the call.
 */
export function authenticate({ token, tls }: SecurityOptions): ServerInterceptor {
  const expected = token === undefined || token === '' ? undefined : digest(`Bearer ${token}`);
  const isMutual = tls?.ca !== undefined;
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, proceed) {
            try {
              if (expected !== undefined) assertToken(metadata, expected);
              if (isMutual) assertRole(method.path, call.getAuthContext().sslPeerCertificate?.subjectaltname);
            } catch (error) {
              call.sendStatus(statusOf(error));
              return;
            }
            proceed(metadata);
          },
        }),
    });
}

function assertToken(metadata: Metadata, expected: Buffer): void {
  const [given, ...more] = metadata.get(AUTHORIZATION);
  // Digests: equal lengths for the comparison in constant time.
  if (typeof given === 'string' && more.length === 0 && timingSafeEqual(digest(given), expected)) return;
  throw new MillraceError(
    'UNAUTHENTICATED',
    given === undefined ? 'no token was given' : 'the token is wrong',
    {
      remedy: 'Give the token that this server was started with (--token or MILLRACE_TOKEN).',
    },
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Adds the token to every call. */
export function withToken(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set(AUTHORIZATION, `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

/** Whether only this machine can reach a server bound to `host`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/**
 * A port that others can reach runs what they send: it needs a token or mutual TLS.
 * @throws MillraceError CONFIG_INVALID.
 */
export function assertBindAllowed(host: string, options: SecurityOptions): void {
  const hasToken = options.token !== undefined && options.token !== '';
  if (isLoopback(host) || hasToken || options.tls?.ca !== undefined) return;
  throw new MillraceError(
    'CONFIG_INVALID',
    `binding to ${host} without a token or mutual TLS would let anybody on the network run code here`,
    {
      remedy: 'Give --token (or MILLRACE_TOKEN), or TLS with a CA, or bind to localhost.',
      details: { host },
    },
  );
}

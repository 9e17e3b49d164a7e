import { type handleUnaryCall, Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { MillraceError, messageOf, withDeadline } from '@millrace/common';
import { assertBindAllowed, authenticate, type SecurityOptions, serverCredentials } from './credentials.ts';
import { SERVER_OPTIONS } from './limits.ts';
import { statusOf } from './status.ts';

export interface WireServerOptions extends SecurityOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** A gRPC server whose every method asks for the token and, with mutual TLS, for a role. Add services before `listen`. */
export interface WireServer {
  readonly server: Server;
  /** Resolves with the port. @throws MillraceError PORT_IN_USE, CONFIG_INVALID (an address that is not of this machine). */
  listen(): Promise<number>;
  /** Waits up to `graceMs` for running calls, then cuts them. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

export function createWireServer(options: WireServerOptions): WireServer {
  assertBindAllowed(options.host, options);
  const credentials = serverCredentials(options);
  const server = new Server({ ...SERVER_OPTIONS, interceptors: [authenticate(options)] });
  return {
    server,
    listen: () =>
      new Promise((resolve, reject) => {
        const host =
          options.host.includes(':') && !options.host.startsWith('[') ? `[${options.host}]` : options.host;
        server.bindAsync(`${host}:${options.port}`, credentials, (error, port) => {
          if (error === null) return resolve(port);
          reject(bindError(error, host, options.port));
        });
      }),
    async close(graceMs = 0) {
      if (graceMs > 0) {
        const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
        await withDeadline(closed, graceMs, 'closing the server').catch(() => undefined);
      }
      server.forceShutdown();
    },
  };
}

/** gRPC tells the reason in the text only: "No address added out of total 1 resolved errors: [listen EADDRINUSE: …]". */
function bindError(cause: Error, host: string, port: number): MillraceError {
  const isTaken = cause.message.includes('EADDRINUSE');
  const reason = isTaken
    ? 'the port is already taken'
    : (/\[(.*)\]/.exec(cause.message)?.[1] ?? messageOf(cause));
  return new MillraceError(
    isTaken ? 'PORT_IN_USE' : 'CONFIG_INVALID',
    `cannot listen on ${host}:${port}: ${reason}`,
    {
      ...(isTaken ? {} : { cause }),
      remedy: isTaken
        ? 'End what uses the port, or choose another one (0: any free port).'
        : 'Give an address of this machine, and a port that this user may listen on (0: any free port).',
      details: { host, port },
    },
  );
}

/** A unary handler from an async function: what it throws reaches the caller as the same typed error. */
export function unaryHandler<Request, Reply>(
  handle: (request: Request, call: ServerUnaryCall<Request, Reply>) => Promise<Reply> | Reply,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    void answer(call, callback);
  };
  async function answer(
    call: ServerUnaryCall<Request, Reply>,
    callback: sendUnaryData<Reply>,
  ): Promise<void> {
    let reply: Reply;
    try {
      reply = await handle(call.request, call);
    } catch (error) {
      callback(statusOf(error));
      return;
    }
    callback(null, reply);
  }
}

/** Ends a streaming call of a server with our typed error. */
export function failCall(call: { emit(event: 'error', error: unknown): boolean }, error: unknown): void {
  call.emit('error', statusOf(error));
}

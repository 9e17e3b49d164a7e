import {
  type CallOptions,
  Channel,
  type ClientUnaryCall,
  connectivityState,
  InterceptingCall,
  type Interceptor,
  type requestCallback,
} from '@grpc/grpc-js';
import { type Clock, MillraceError, systemClock } from '@millrace/common';
import { channelCredentials, type SecurityOptions, withToken } from './credentials.ts';
import type { BlocksClient } from './gen/millrace/v1/Blocks.ts';
import type { ExecutorLinkClient } from './gen/millrace/v1/ExecutorLink.ts';
import type { ProgramsClient } from './gen/millrace/v1/Programs.ts';
import type { SubmissionClient } from './gen/millrace/v1/Submission.ts';
import { CLIENT_OPTIONS, UNARY_DEADLINE_MS } from './limits.ts';
import { clientClasses } from './services.ts';
import { grpcStatusToError } from './status.ts';

export interface ClientChannelOptions extends SecurityOptions {
  /** host:port */
  readonly address: string;
  readonly clock?: Clock;
}

/** One connection (kept up by gRPC while it is used) and the clients of every service on it. */
export interface ClientChannel {
  readonly address: string;
  readonly executorLink: ExecutorLinkClient;
  readonly programs: ProgramsClient;
  readonly blocks: BlocksClient;
  readonly submission: SubmissionClient;
  /** @throws MillraceError DRIVER_UNREACHABLE when there is no connection within `ms`. */
  ready(ms: number): Promise<void>;
  /** Ends the connection; calls that run fail. Idempotent. */
  close(): void;
}

/** Every call carries the token; a unary call without a deadline gets UNARY_DEADLINE_MS. */
export function clientChannel(options: ClientChannelOptions): ClientChannel {
  const clock = options.clock ?? systemClock;
  const credentials = channelCredentials(options);
  const channel = new Channel(options.address, credentials, CLIENT_OPTIONS);
  const interceptors: Interceptor[] = [defaultDeadline(clock)];
  if (options.token !== undefined && options.token !== '') interceptors.push(withToken(options.token));
  const settings = { channelOverride: channel, interceptors };
  const { address } = options;
  const submission = new clientClasses.submission(address, credentials, settings);
  return {
    address,
    executorLink: new clientClasses.executorLink(address, credentials, settings),
    programs: new clientClasses.programs(address, credentials, settings),
    blocks: new clientClasses.blocks(address, credentials, settings),
    submission,
    ready: (ms) =>
      new Promise((resolve, reject) => {
        submission.waitForReady(clock.now() + ms, (error) => {
          if (error === undefined || error === null) return resolve();
          reject(
            new MillraceError('DRIVER_UNREACHABLE', `no answer from ${address} within ${Math.round(ms)} ms`, {
              cause: error,
              remedy:
                'Check that it runs, that the address is right, and that both sides use TLS or neither.',
              details: { address },
            }),
          );
        });
      }),
    close() {
      if (channel.getConnectivityState(false) !== connectivityState.SHUTDOWN) channel.close();
    },
  };
}

function defaultDeadline(clock: Clock): Interceptor {
  return (options, nextCall) => {
    const { requestStream, responseStream } = options.method_definition;
    const bounded = options.deadline !== undefined || requestStream || responseStream;
    return new InterceptingCall(
      nextCall(bounded ? options : { ...options, deadline: clock.now() + UNARY_DEADLINE_MS }),
    );
  };
}

/**
 * A unary call as a Promise: `callUnary('status of x', (done) => channel.submission.status(request, done))`.
 * @throws MillraceError: the server's own, or what the gRPC status means.
 */
export function callUnary<Reply>(
  what: string,
  invoke: (done: requestCallback<Reply>) => ClientUnaryCall,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    invoke((error, reply) => {
      if (error) reject(grpcStatusToError(error, what));
      else if (reply === undefined) reject(new MillraceError('INTERNAL', `${what}: the reply is empty`));
      else resolve(reply);
    });
  });
}

/** Call options that end a call `ms` from now. */
export function deadlineIn(ms: number, clock: Clock = systemClock): CallOptions {
  return { deadline: clock.now() + ms };
}

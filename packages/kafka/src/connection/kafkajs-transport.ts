import net from 'node:net';
import tls from 'node:tls';
import { invariant, type Logger } from '@millrace/common';
import kafkajs from 'kafkajs';
import type { KafkaOptions } from '../kafka-options.ts';
import type { PayloadPool } from './payload-pool.ts';
import { ResponseFramer } from './response-framer.ts';

/**
 * What is used of kafkajs 2.2.4 below its public surface: one authenticated connection and its queue of requests. Nothing else of its
 * client is: no metadata, no retries, no encoders, no codecs. Its version is pinned; the shapes are checked when a connection is made.
 */
export interface TransportConnection {
  isConnected(): boolean;
  readonly clientId: string;
  nextCorrelationId(): number;
  /** Undefined: there is nothing to authenticate with. */
  readonly sasl: unknown;
  isAuthenticated(): boolean;
  /** Who asks while it is under way shares it: nothing else may be sent in between (KIP-368). */
  authenticate(): Promise<void>;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
  readonly socket?: net.Socket;
  readonly requestQueue: RequestQueue;
  processData(chunk: Buffer): void;
  socketFactory: kafkajs.ISocketFactory;
  /** How long before the end of a SASL session it is renewed (KIP-368), in ms. */
  reauthenticationThreshold: number;
  /** In ms, a Long; 0: for ever. */
  readonly sessionLifetime: { toString(): string };
}

/** Sends in order, and holds back while the broker throttles. */
interface RequestQueue {
  push(request: TransportRequest): void;
  /** For so many ms nothing is sent (KIP-219). */
  maybeThrottle(ms: number): void;
  fulfillRequest(response: { size: number; correlationId: number; payload: Buffer }): void;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

export interface TransportRequest {
  readonly entry: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly correlationId: number;
    readonly resolve: (response: TransportResponse) => void;
    readonly reject: (error: Error) => void;
  };
  /** False: it is resolved when it is sent. */
  readonly expectResponse: boolean;
  readonly sendRequest: () => void;
}

/** `payload` begins after the correlation id; null when none is expected. */
export interface TransportResponse {
  readonly payload: Buffer | null;
}

/** kafkajs's Broker: connects, asks ApiVersions, authenticates. Two connections; only the first is used. */
export interface TransportBroker {
  connect(): Promise<void>;
  readonly versions: Readonly<
    Record<number, { readonly minVersion: number; readonly maxVersion: number }>
  > | null;
  readonly connectionPool: { readonly pool: readonly TransportConnection[] };
}

interface TransportCluster {
  readonly connectionPoolBuilder: {
    build(destination: {
      readonly host: string;
      readonly port: number;
    }): Promise<TransportBroker['connectionPool']>;
  };
  readonly brokerPool: {
    createBroker(options: { readonly connectionPool: unknown; readonly logger: unknown }): TransportBroker;
  };
  readonly rootLogger: unknown;
}

export type TransportFactory = (host: string, port: number) => Promise<TransportBroker>;

/** Connections with the TLS, SASL and time-outs of `options`. Connects nothing yet. */
export function createTransport(options: KafkaOptions, logger: Logger, pool: PayloadPool): TransportFactory {
  const kafka = new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    ...(options.ssl === false ? {} : { ssl: tlsOptions(options.ssl) }),
    ...(options.sasl === undefined ? {} : { sasl: { ...options.sasl } as kafkajs.SASLOptions }),
    connectionTimeout: options.connectionTimeoutMs,
    authenticationTimeout: options.connectionTimeoutMs,
    // Each request has a deadline of ours: kafkajs's costs ten wake-ups a second for every connection.
    enforceRequestTimeout: false,
    retry: { retries: 0 },
    // Every failure reaches the caller as a coded error: kafkajs's own lines are for who looks for more.
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, label, log }) => {
        const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log;
        logger.debug({ kafkajs: namespace, kafkajsLevel: label, ...fields }, message);
      },
  });
  const cluster = clusterOf(kafka);
  return async (host, port) => {
    const connectionPool = await cluster.connectionPoolBuilder.build({ host, port });
    const broker = cluster.brokerPool.createBroker({ connectionPool, logger: cluster.rootLogger });
    const connection = broker.connectionPool.pool[0];
    invariant(
      typeof connection?.authenticate === 'function' && typeof connection.requestQueue.push === 'function',
      'kafkajs 2.2.4 has connections with a queue of requests',
    );
    quietIdleQueue(connection.requestQueue);
    frameResponses(connection, pool);
    renewInTime(connection);
    return broker;
  };
}

/** The consumer gives its Cluster to each partition assigner when it is made, before it connects: the only public way to one. */
function clusterOf(kafka: kafkajs.Kafka): TransportCluster {
  let cluster: unknown;
  kafka.consumer({
    groupId: 'never-joined',
    partitionAssigners: [
      (given) => {
        cluster = given.cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  const found = cluster as TransportCluster | undefined;
  invariant(
    typeof found?.connectionPoolBuilder?.build === 'function' &&
      typeof found.brokerPool?.createBroker === 'function',
    'kafkajs 2.2.4 gives its cluster to partition assigners',
  );
  return found;
}

/**
 * kafkajs arms a timer with a negative time after every response, although nothing is pending: each costs a wake-up, and Node 24 prints
 * a TimeoutNegativeWarning.
 */
function quietIdleQueue(queue: RequestQueue): void {
  const check = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) check();
  };
}

const RENEWAL_MS_MAX = 10_000;

/**
 * kafkajs renews a SASL session 10 s before its end: one that is shorter than that it would renew before every request. Java's client
 * does it after 85 to 95 % of the session.
 */
function renewInTime(connection: TransportConnection): void {
  Object.defineProperty(connection, 'reauthenticationThreshold', {
    get: () => Math.min(RENEWAL_MS_MAX, Math.ceil(Number(connection.sessionLifetime) * 0.2)),
  });
}

// Far above fetch sizes: a length beyond it is another protocol's text.
const RESPONSE_BYTES_MAX = 2 ** 30 + 2 ** 20;

/** Our sockets and our framing; kafkajs's way from a frame to its request. */
function frameResponses(connection: TransportConnection, pool: PayloadPool): void {
  const framer = new ResponseFramer(RESPONSE_BYTES_MAX, pool, (frame) => {
    connection.requestQueue.fulfillRequest({
      size: frame.length,
      correlationId: frame.readInt32BE(0),
      payload: frame.subarray(4),
    });
  });
  connection.socketFactory = (to) => openSocket(to, framer);
  connection.processData = () => invariant(false, 'sockets read into the framer');
}

function tlsOptions(given: Exclude<KafkaOptions['ssl'], false>): tls.ConnectionOptions {
  const { ca, ...rest } = given;
  return { ...rest, ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }) };
}

const KEEP_ALIVE_DELAY_MS = 60_000;

type SocketOptions = Parameters<kafkajs.ISocketFactory>[0];

function openSocket({ host, port, ssl, onConnect }: SocketOptions, framer: ResponseFramer): net.Socket {
  let connected = false;
  const onOpen = (): void => {
    connected = true;
    onConnect();
  };
  const onread = {
    // Node would make a buffer of 64 KiB for each read: half of the garbage of a fetch.
    buffer: () => framer.space(),
    callback: (bytes: number): boolean => {
      try {
        framer.wrote(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
      return true;
    },
  };
  const socket =
    (ssl as unknown) === undefined || ssl === null
      ? net.connect({ host, port, onread }, onOpen)
      : tls.connect(
          // Types of Node do not know that TLS sockets take `onread` too.
          {
            host,
            port,
            ...(net.isIP(host) === 0 ? { servername: host } : {}),
            ...ssl,
            onread,
          } as tls.ConnectionOptions,
          onOpen,
        );
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  socket.setNoDelay(true);
  // kafkajs listens for 'end' and 'error' only: a socket that just closes would be noticed at the request time-out.
  let told = false;
  socket.once('end', () => {
    told = true;
  });
  socket.once('error', () => {
    told = true;
  });
  socket.once('close', () => {
    if (told) return;
    if (connected) socket.emit('end');
    else socket.emit('error', new Error('the connection was closed before it was ready'));
  });
  return socket;
}

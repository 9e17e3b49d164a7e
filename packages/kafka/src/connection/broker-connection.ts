import { type Clock, MillraceError, messageOf, withDeadline } from '@millrace/common';
import { BrokerFailure } from '../kafka-failure.ts';
import type { KafkaApi } from '../protocol/kafka-api.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import type {
  TransportBroker,
  TransportConnection,
  TransportFactory,
  TransportRequest,
  TransportResponse,
} from './kafkajs-transport.ts';

export interface CallOptions {
  readonly timeoutMs: number;
  /** Use no version above this one. */
  readonly versionMax?: number;
}

/** One authenticated connection to one broker. It is never mended: who finds it unusable opens another one. */
export class BrokerConnection {
  readonly address: string;
  private readonly connection: TransportConnection;
  private readonly versions: NonNullable<TransportBroker['versions']>;
  private readonly clock: Clock;
  private failed = false;

  private constructor(
    address: string,
    connection: TransportConnection,
    versions: NonNullable<TransportBroker['versions']>,
    clock: Clock,
  ) {
    this.address = address;
    this.connection = connection;
    this.versions = versions;
    this.clock = clock;
  }

  /** @throws BrokerFailure when there is no connection within `timeoutMs`; MillraceError KAFKA_AUTH. */
  static async open(
    transport: TransportFactory,
    { host, port }: { readonly host: string; readonly port: number },
    timeoutMs: number,
    clock: Clock,
  ): Promise<BrokerConnection> {
    const address = `${host}:${port}`;
    const broker = await transport(host, port);
    const connection = broker.connectionPool.pool[0] as TransportConnection;
    try {
      await withDeadline(
        broker.connect(),
        timeoutMs,
        () => new BrokerFailure(address, `no connection within ${timeoutMs} ms`, undefined),
        clock,
      );
      return new BrokerConnection(address, connection, broker.versions ?? {}, clock);
    } catch (error) {
      destroy(connection, error);
      throw failureOf(address, error);
    }
  }

  get isUsable(): boolean {
    return !this.failed && this.connection.isConnected();
  }

  /** The newest version that both sides know (and that is not above `max`), or undefined. */
  versionOf(api: KafkaApi<never, unknown>, max = Number.POSITIVE_INFINITY): number | undefined {
    const broker = this.versions[api.key];
    if (broker === undefined) return undefined;
    const version = Math.min(api.versions[1], broker.maxVersion, max);
    return version >= Math.max(api.versions[0], broker.minVersion) ? version : undefined;
  }

  /**
   * Sends one request and waits for its response.
   * @throws BrokerFailure when the connection ends or the time is over (it is then unusable); MillraceError KAFKA_PROTOCOL when the
   *   broker knows no version of the request that is implemented here, or answers nonsense; KAFKA_AUTH.
   */
  async call<Request, Response>(
    api: KafkaApi<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const version = this.versionOf(api, options.versionMax);
    if (version === undefined) throw this.unsupported(api);
    const payload = await this.send(api, version, request, options);
    if (payload === null) return undefined as Response;
    const reader = new WireReader(payload);
    if (version >= api.flexibleFrom) reader.taggedFields(); // ends the response header, version 1
    return api.decode(reader, version);
  }

  private async send<Request, Response>(
    api: KafkaApi<Request, Response>,
    version: number,
    request: Request,
    { timeoutMs }: CallOptions,
  ): Promise<Buffer | null> {
    const correlationId = this.connection.nextCorrelationId();
    const frame = this.frame(api, version, request, correlationId);
    const { promise: answer, resolve, reject } = Promise.withResolvers<TransportResponse>();
    // Nobody waits for it when it could not even be sent.
    answer.catch(() => {});
    const transported: TransportRequest = {
      entry: { apiKey: api.key, apiName: api.name, apiVersion: version, correlationId, resolve, reject },
      expectResponse: api.expectsResponse?.(request) !== false,
      sendRequest: () => this.write(frame),
    };
    try {
      // The only deadline: kafkajs has none for requests that it holds back (throttling) and for SASL, and its other one is switched off.
      const { payload } = await withDeadline(
        this.queue(transported).then(() => answer),
        timeoutMs,
        () => new BrokerFailure(this.address, `no answer to ${api.name} within ${timeoutMs} ms`, undefined),
        this.clock,
      );
      if (payload !== null) this.heedThrottle(api, version, payload);
      return payload;
    } catch (error) {
      this.close(error);
      throw failureOf(this.address, error);
    }
  }

  private async queue(request: TransportRequest): Promise<void> {
    const { connection } = this;
    if (connection.sasl && !connection.isAuthenticated()) await connection.authenticate();
    if (!this.isUsable) throw new BrokerFailure(this.address, 'the connection is closed', undefined);
    connection.requestQueue.push(request);
  }

  private heedThrottle(
    {
      throttle = 'first',
      flexibleFrom,
    }: { readonly throttle?: 'first' | 'last' | 'none'; readonly flexibleFrom: number },
    version: number,
    payload: Buffer,
  ): void {
    if (throttle === 'none') return;
    const first = version >= flexibleFrom ? 1 : 0;
    const at = throttle === 'first' ? first : payload.length - 4;
    if (at < 0 || at + 4 > payload.length) return; // the decoder will say what is wrong
    this.connection.requestQueue.maybeThrottle(payload.readInt32BE(at));
  }

  private write(frame: readonly Buffer[]): void {
    const { socket } = this.connection;
    socket?.cork();
    for (const part of frame) socket?.write(part);
    socket?.uncork();
  }

  /** Length, request header (version 1, or 2 when flexible), request. */
  private frame<Request, Response>(
    api: KafkaApi<Request, Response>,
    version: number,
    request: Request,
    correlationId: number,
  ): readonly Buffer[] {
    const writer = new WireWriter();
    writer.int32(0).int16(api.key).int16(version).int32(correlationId);
    writer.nullableString(this.connection.clientId);
    if (version >= api.flexibleFrom) writer.taggedFields();
    api.encode(writer, request, version);
    const tail = api.tail?.(request);
    const head = writer.finish();
    head.writeInt32BE(head.length - 4 + (tail?.length ?? 0), 0);
    return tail === undefined ? [head] : [head, tail];
  }

  private unsupported(api: {
    readonly name: string;
    readonly versions: readonly [number, number];
  }): MillraceError {
    const [min, max] = api.versions;
    return new MillraceError(
      'KAFKA_PROTOCOL',
      `The broker ${this.address} knows no version of ${api.name} in [${min}, ${max}]`,
      { retryable: false, remedy: 'Use Apache Kafka 2.3 or later.' },
    );
  }

  /** Ends it; requests in flight fail. Never throws. */
  close(reason?: unknown): void {
    if (this.failed) return;
    this.failed = true;
    destroy(this.connection, reason);
  }
}

function destroy(connection: TransportConnection, reason: unknown): void {
  connection.rejectRequests(new Error(`the connection was closed: ${messageOf(reason ?? 'by us')}`));
  // It waits for pending requests, of which there are none now; it fails only when there is no socket.
  connection.disconnect().catch(() => {});
  connection.socket?.destroy();
}

const TLS_ERROR = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/;

function failureOf(address: string, error: unknown): Error {
  if (error instanceof BrokerFailure || MillraceError.is(error)) return error;
  const { name = '', code } = Object(error) as { name?: string; code?: unknown };
  const what = messageOf(error);
  if (/SASL|Authentication/i.test(name)) {
    return new MillraceError('KAFKA_AUTH', `The broker ${address} refused the SASL credentials: ${what}`, {
      cause: error,
      remedy: 'Check mechanism, username and password.',
    });
  }
  if (typeof code === 'string' && TLS_ERROR.test(code)) {
    return new MillraceError('KAFKA_AUTH', `TLS with the broker ${address} failed: ${what}`, {
      cause: error,
      remedy: 'Check the CA, the certificate and the host name of the listener.',
    });
  }
  return new BrokerFailure(address, what, error);
}

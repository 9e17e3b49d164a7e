import { type Clock, MillraceError } from '@millrace/common';
import { BrokerFailure, clientClosed, unreachable } from '../kafka-failure.ts';
import type { KafkaOptions } from '../kafka-options.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { TransportFactory } from './kafkajs-transport.ts';

/** A broker serves the requests of a connection one after the other: what may wait there has a connection of its own. */
export type Purpose = 'metadata' | 'fetch' | 'produce' | 'transaction';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

interface Entry {
  readonly opening: Promise<BrokerConnection>;
  /** Once it is open. */
  connection?: BrokerConnection;
}

const RETRY_PAUSE_MS = 100;
const ATTEMPT_MS_MIN = 1000;

/** At most one connection per broker and purpose, opened when it is first needed and shared by all. */
export class BrokerPool {
  private readonly transport: TransportFactory;
  private readonly options: KafkaOptions;
  private readonly clock: Clock;
  private readonly seeds: readonly BrokerAddress[];
  private nodes: ReadonlyMap<number, BrokerAddress> = new Map();
  private readonly connections = new Map<string, Entry>();
  private connecting: Promise<BrokerConnection> | undefined;
  private turn = 0;
  private readonly closed = new AbortController();

  constructor(transport: TransportFactory, options: KafkaOptions, clock: Clock) {
    this.transport = transport;
    this.options = options;
    this.clock = clock;
    this.seeds = options.brokers.map((broker) => {
      const colon = broker.lastIndexOf(':');
      return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) };
    });
  }

  /** The brokers as the latest metadata tells; connections to those that are gone are closed. */
  setNodes(nodes: ReadonlyMap<number, BrokerAddress>): void {
    this.nodes = nodes;
    const known = new Set([...this.seeds, ...nodes.values()].map(({ host, port }) => `${host}:${port}`));
    for (const [key, entry] of this.connections) {
      if (known.has(key.slice(0, key.lastIndexOf('/')))) continue;
      this.connections.delete(key);
      closeLater(entry);
    }
  }

  hostOf(nodeId: number): string {
    return this.nodes.get(nodeId)?.host ?? '';
  }

  knows(nodeId: number): boolean {
    return this.nodes.has(nodeId);
  }

  /** @throws BrokerFailure when the broker is unknown or cannot be reached; MillraceError KAFKA_AUTH. */
  async toNode(nodeId: number, purpose: Purpose): Promise<BrokerConnection> {
    const address = this.nodes.get(nodeId);
    if (address === undefined)
      throw new BrokerFailure(`node ${nodeId}`, 'the metadata does not tell its address', undefined);
    return this.open(address, purpose, this.options.connectionTimeoutMs);
  }

  /**
   * A connection to some broker, for what any broker can answer.
   * @throws MillraceError KAFKA_UNREACHABLE when none could be reached within `connectionTimeoutMs`; KAFKA_AUTH.
   */
  async toAny(): Promise<BrokerConnection> {
    for (const [key, { connection }] of this.connections) {
      if (connection?.isUsable === true && key.endsWith('/metadata')) return connection;
    }
    this.connecting ??= this.connectAny().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  close(): void {
    this.closed.abort(clientClosed());
    for (const entry of this.connections.values()) closeLater(entry);
    this.connections.clear();
  }

  private async connectAny(): Promise<BrokerConnection> {
    const { connectionTimeoutMs, brokers } = this.options;
    const deadline = this.clock.monotonic() + connectionTimeoutMs;
    const addresses = [...this.nodes.values(), ...this.seeds];
    let last: unknown;
    for (;;) {
      for (let i = 0; i < addresses.length; i++) {
        const left = deadline - this.clock.monotonic();
        if (left <= 0) break;
        const address = addresses[this.turn++ % addresses.length] as BrokerAddress;
        const fair = Math.max(ATTEMPT_MS_MIN, connectionTimeoutMs / addresses.length);
        try {
          return await this.open(address, 'metadata', Math.ceil(Math.min(left, fair)));
        } catch (error) {
          if (!(error instanceof BrokerFailure)) throw error;
          last = error;
        }
      }
      if (this.clock.monotonic() + RETRY_PAUSE_MS >= deadline)
        throw unreachable(brokers, connectionTimeoutMs, last);
      await this.pause();
    }
  }

  private async pause(): Promise<void> {
    try {
      await this.clock.sleep(RETRY_PAUSE_MS, this.closed.signal);
    } catch {
      throw clientClosed();
    }
  }

  private async open(address: BrokerAddress, purpose: Purpose, timeoutMs: number): Promise<BrokerConnection> {
    if (this.closed.signal.aborted) throw clientClosed();
    const key = `${address.host}:${address.port}/${purpose}`;
    const known = this.connections.get(key);
    if (known?.connection === undefined) {
      if (known !== undefined) return known.opening;
    } else {
      if (known.connection.isUsable) return known.connection;
      known.connection.close();
    }
    const entry: Entry = { opening: BrokerConnection.open(this.transport, address, timeoutMs, this.clock) };
    this.connections.set(key, entry);
    try {
      const opened = await entry.opening;
      entry.connection = opened;
      if (this.connections.get(key) === entry) return opened;
      // It was closed, or its broker went away, meanwhile.
      opened.close();
      throw this.closed.signal.aborted
        ? clientClosed()
        : new BrokerFailure(`${address.host}:${address.port}`, 'the broker left the cluster', undefined);
    } catch (error) {
      if (this.connections.get(key) === entry) this.connections.delete(key);
      throw error;
    }
  }
}

function closeLater(entry: Entry): void {
  entry.opening.then(
    (connection) => connection.close(),
    () => {},
  );
}

/** Whether an error of an operation is worth another attempt (a MillraceError says it of itself). */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof BrokerFailure) return true;
  // The pool has tried for its whole time already.
  return MillraceError.is(error) && error.retryable && error.code !== 'KAFKA_UNREACHABLE';
}

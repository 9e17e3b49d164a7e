import { type Clock, MillraceError, messageOf } from '@millrace/common';
import { API_KEY, WireReader, WireWriter } from '@millrace/kafka';
import { writeUnsupportedApiVersions } from '../apis/api-versions-api.ts';
import type { BrokerState } from '../broker-state.ts';
import type { RequestFaults } from '../faults/fault-hooks.ts';
import type { Api, DecodedRequest } from '../protocol/api.ts';

/** What a connection does about one request. */
export type Answer =
  | { readonly kind: 'reply'; readonly frame: Buffer }
  /** Sends these bytes, of which more should follow, and closes. */
  | { readonly kind: 'cut'; readonly bytes: Buffer }
  | { readonly kind: 'silence' }
  | { readonly kind: 'close'; readonly reason: string };

export interface Peer {
  /** The node that the client is connected to. */
  readonly nodeId: number;
  readonly host: string;
  readonly signal: AbortSignal;
}

interface RequestHeader {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

const SILENCE: Answer = { kind: 'silence' };

/** Reads a frame's header, finds its API, lets the fault hooks strike, and frames the answer. */
export class RequestRouter {
  private readonly state: BrokerState;
  private readonly table: readonly Api[];
  private readonly byKey: ReadonlyMap<number, Api>;

  constructor(state: BrokerState, table: readonly Api[]) {
    this.state = state;
    this.table = table;
    this.byKey = new Map(table.map((api) => [api.key, api]));
  }

  /** Never rejects: a request that cannot be read, or whose handler fails, closes its connection. */
  async answer(frame: Buffer, peer: Peer): Promise<Answer> {
    try {
      return await this.route(frame, peer);
    } catch (error) {
      // The reader's errors are the client's doing, everything else is ours.
      const unreadable =
        MillraceError.is(error, 'KAFKA_PROTOCOL') || MillraceError.is(error, 'OFFSET_UNSAFE');
      if (!unreadable) this.state.logger.error({ err: error }, 'a request handler failed');
      return { kind: 'close', reason: messageOf(error) };
    }
  }

  private async route(frame: Buffer, peer: Peer): Promise<Answer> {
    const reader = new WireReader(frame);
    const header = readHeader(reader);
    const api = this.byKey.get(header.apiKey);
    if (api === undefined || header.version < api.minVersion || header.version > api.maxVersion) {
      return this.unsupported(header);
    }
    if (header.version >= api.flexibleFrom) reader.taggedFields();
    const request = api.decode(reader, header.version, this.state);
    const faults = this.state.faults.strike({ ...header, nodeId: peer.nodeId, targets: request.targets });
    return await this.serve(api, header, request, faults, peer);
  }

  private async serve(
    api: Api,
    header: RequestHeader,
    request: DecodedRequest,
    faults: RequestFaults,
    peer: Peer,
  ): Promise<Answer> {
    if (faults.delayMs > 0) await pause(this.state.clock, faults.delayMs, peer.signal);
    for (const { target, nodeId } of faults.leaderChanges)
      this.changeLeader(target.topic, target.partition, nodeId);
    if (faults.before !== undefined) return silenced(faults.before);
    const context = {
      state: this.state,
      version: header.version,
      nodeId: peer.nodeId,
      clientId: header.clientId ?? '',
      clientHost: peer.host,
      faults,
      signal: peer.signal,
    };
    if (faults.lateMs !== undefined) {
      const late = (): void => void request.handle(context).catch(() => {});
      this.state.clock.schedule(faults.lateMs, late, { unref: true });
      return silenced('close');
    }
    const write = await request.handle(context);
    if (faults.after !== undefined) return silenced(faults.after);
    if (write === undefined) return SILENCE;
    // ApiVersions keeps the old response header, so that any client can read it (KIP-511).
    const flexibleHeader = header.version >= api.flexibleFrom && api.key !== API_KEY.ApiVersions;
    const frame = reply(header.correlationId, flexibleHeader, write);
    return faults.midway
      ? { kind: 'cut', bytes: frame.subarray(0, frame.length >> 1) }
      : { kind: 'reply', frame };
  }

  private unsupported(header: RequestHeader): Answer {
    if (header.apiKey === API_KEY.ApiVersions) {
      const write = (writer: WireWriter) => writeUnsupportedApiVersions(writer, this.table);
      return { kind: 'reply', frame: reply(header.correlationId, false, write) };
    }
    // As Apache Kafka does: nobody can say how an answer of an unknown version would look.
    return { kind: 'close', reason: `API ${header.apiKey} version ${header.version} is not supported` };
  }

  private changeLeader(topic: string, partition: number | undefined, nodeId: number | undefined): void {
    const { topics } = this.state;
    const count = topics.get(topic)?.partitions.length ?? 0;
    for (let at = 0; at < count; at++) {
      if (partition === undefined || partition === at) topics.changeLeader({ topic, partition: at }, nodeId);
    }
  }
}

function readHeader(reader: WireReader): RequestHeader {
  return {
    apiKey: reader.int16(),
    version: reader.int16(),
    correlationId: reader.int32(),
    // Not compact even in flexible versions (RequestHeader.json).
    clientId: reader.nullableString(),
  };
}

function silenced(how: 'drop' | 'close'): Answer {
  return how === 'drop' ? SILENCE : { kind: 'close', reason: 'injected fault' };
}

function reply(correlationId: number, flexible: boolean, write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter(1024);
  writer.int32(0).int32(correlationId);
  if (flexible) writer.taggedFields();
  write(writer);
  const frame = writer.finish();
  frame.writeInt32BE(frame.length - 4, 0);
  return frame;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    // The connection is gone: the answer goes nowhere anyway.
  }
}

import { API_KEY, type ApiName, type WireReader, type WireWriter } from '@millrace/kafka';
import type { BrokerState } from '../broker-state.ts';
import type { FaultTarget, RequestFaults } from '../faults/fault-hooks.ts';
import type { Codec, WireVersion } from './schema.ts';

/** What a handler knows beside the request itself. */
export interface RequestContext {
  readonly state: BrokerState;
  readonly version: number;
  /** The node that got the request. */
  readonly nodeId: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly faults: RequestFaults;
  /** Aborted when the connection is gone or the broker closes: waits end then. */
  readonly signal: AbortSignal;
}

/** One API as its schemas and its handler. */
export interface ApiDefinition<Request, Response> {
  readonly name: ApiName;
  /** Inclusive. */
  readonly minVersion: number;
  /** Inclusive. */
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields (KIP-482). */
  readonly flexibleFrom: number;
  readonly request: Codec<Request, never>;
  readonly response: Codec<unknown, Response>;
  /** The partitions that a request is about, for fault hooks. */
  targets?(request: Request, state: BrokerState): readonly FaultTarget[];
  /** Undefined: this request gets no answer (acks=0). */
  handle(request: Request, context: RequestContext): Response | undefined | Promise<Response | undefined>;
}

/** A request that was read, ready to be handled. */
export interface DecodedRequest {
  readonly targets: readonly FaultTarget[];
  /** Resolves to what writes the response's body, or undefined for no answer. */
  handle(context: RequestContext): Promise<((writer: WireWriter) => void) | undefined>;
}

/** An API with its types closed over, so that different ones fit one table. */
export interface Api {
  readonly name: ApiName;
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleFrom: number;
  /** The schemas, for clients in tests. */
  readonly request: Codec<unknown, never>;
  readonly response: Codec<unknown, never>;
  decode(reader: WireReader, version: number, state: BrokerState): DecodedRequest;
}

export function defineApi<Request, Response>(definition: ApiDefinition<Request, Response>): Api {
  const { name, minVersion, maxVersion, flexibleFrom } = definition;
  return {
    name,
    key: API_KEY[name],
    minVersion,
    maxVersion,
    flexibleFrom,
    request: definition.request,
    response: definition.response,
    decode(reader, version, state) {
      const at: WireVersion = { version, flexible: version >= flexibleFrom };
      const request = definition.request.read(reader, at);
      return {
        targets: definition.targets?.(request, state) ?? [],
        async handle(context) {
          const response = await definition.handle(request, context);
          if (response === undefined) return undefined;
          return (writer) => definition.response.write(writer, response, at);
        },
      };
    },
  };
}

import type { WireReader } from '../wire/wire-reader.ts';
import type { WireWriter } from '../wire/wire-writer.ts';

/** One request and response of Kafka's protocol, in the versions that are implemented here. */
export interface KafkaApi<Request, Response> {
  readonly name: string;
  readonly key: number;
  /** Implemented here, inclusive. */
  readonly versions: readonly [min: number, max: number];
  /** First version with compact types and tagged fields (KIP-482). */
  readonly flexibleFrom: number;
  readonly encode: (writer: WireWriter, request: Request, version: number) => void;
  /** Bytes that follow what was encoded: sent without a copy. */
  readonly tail?: (request: Request) => Buffer;
  readonly decode: (reader: WireReader, version: number) => Response;
  /** Where the response tells its throttle time (an int32); default 'first', as most do. 'last': in versions that are not flexible. */
  readonly throttle?: 'first' | 'last' | 'none';
  /** False: no response follows (Produce with acks 0). */
  readonly expectsResponse?: (request: Request) => boolean;
}

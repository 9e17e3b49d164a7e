import type { AbortedTransaction } from '../records/aborted-transactions.ts';
import { API_KEY } from '../wire/api-key.ts';
import { WireReader } from '../wire/wire-reader.ts';
import type { KafkaApi } from './kafka-api.ts';

/** Fetch of one partition. */
export interface FetchRequest {
  readonly topic: string;
  /** For v13 and later. */
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly offset: number;
  /** Leader epoch that the client knows, so that a stale leader or client is noticed; −1: unknown. */
  readonly leaderEpoch: number;
  /** Epoch of the record before `offset`, for v12 and later: the broker tells when its log diverges from it; −1: unknown. */
  readonly lastFetchedEpoch: number;
  readonly bytesMax: number;
  readonly waitMs: number;
  readonly committedOnly: boolean;
}

export interface FetchResponse {
  readonly error: number;
  /** −1, as the other offsets, when the broker did not tell. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The largest epoch of the broker's log up to the one asked for and where it ends, when they diverge. */
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | undefined;
  /** Where the record batches stand in the payload. */
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
}

/** First version that names topics by id (KIP-516). */
export const FETCH_BY_TOPIC_ID = 13;
/** First version whose response tells of a diverging log (KIP-595). */
export const FETCH_DIVERGING_EPOCH = 12;

export const FETCH: KafkaApi<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: API_KEY.Fetch,
  versions: [11, 13],
  flexibleFrom: 12,
  encode(w, request, version) {
    const flexible = version >= 12;
    w.int32(-1).int32(request.waitMs).int32(1).int32(request.bytesMax);
    w.int8(request.committedOnly ? 1 : 0);
    w.int32(0).int32(-1); // no fetch session
    const partition = (): void => {
      w.int32(request.partition).int32(request.leaderEpoch).int64(request.offset);
      if (flexible) w.int32(request.lastFetchedEpoch);
      w.int64(-1).int32(request.bytesMax);
      if (flexible) w.taggedFields();
    };
    if (!flexible) {
      w.array([request.topic], (topic) => w.string(topic).array([0], partition));
      w.int32(0).string(''); // forgotten topics, rack
      return;
    }
    w.compactArray([0], () => {
      if (version >= FETCH_BY_TOPIC_ID) w.uuid(request.topicId ?? '');
      else w.compactString(request.topic);
      w.compactArray([0], partition).taggedFields();
    });
    w.compactArray([], () => {})
      .compactString('')
      .taggedFields();
  },
  decode(r, version) {
    const flexible = version >= 12;
    r.int32(); // throttle time
    const error = r.int16();
    r.int32(); // session id
    if (error !== 0) return nothing(r, error);
    const topics = flexible ? r.unsignedVarint() - 1 : r.int32();
    // A client above its quota gets nothing but the throttle time (KIP-219).
    if (topics === 0) return nothing(r, 0);
    if (topics !== 1) return nothing(r, -1);
    if (version >= FETCH_BY_TOPIC_ID) r.raw(16);
    else if (flexible) r.compactString();
    else r.string();
    const partitions = flexible ? r.unsignedVarint() - 1 : r.int32();
    if (partitions !== 1) return nothing(r, -1);
    return decodePartition(r, flexible);
  },
};

function nothing(r: WireReader, error: number): FetchResponse {
  return {
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    aborted: [],
    diverging: undefined,
    buf: r.buf,
    start: r.end,
    end: r.end,
  };
}

function decodePartition(r: WireReader, flexible: boolean): FetchResponse {
  r.int32(); // partition
  const error = r.int16();
  const highWatermark = r.int64();
  const lastStableOffset = r.int64();
  const logStartOffset = r.int64();
  const transaction = (): AbortedTransaction => {
    const producerId = r.bigint64();
    const firstOffset = r.int64();
    if (flexible) r.taggedFields();
    return { producerId, firstOffset };
  };
  const aborted = flexible ? r.compactArray(transaction) : r.array(transaction);
  r.int32(); // preferred read replica
  const length = Math.max(0, flexible ? r.unsignedVarint() - 1 : r.int32());
  const start = r.at;
  r.raw(length);
  const diverging = flexible ? decodeDiverging(r.taggedFields().get(0)) : undefined;
  return {
    error,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    diverging,
    buf: r.buf,
    start,
    end: start + length,
  };
}

function decodeDiverging(bytes: Buffer | undefined): FetchResponse['diverging'] {
  if (bytes === undefined) return undefined;
  const r = new WireReader(bytes);
  const epoch = r.int32();
  const endOffset = r.int64();
  return epoch < 0 && endOffset < 0 ? undefined : { epoch, endOffset };
}

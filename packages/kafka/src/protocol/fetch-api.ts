import type { AbortedTransaction } from '../records/aborted-transactions.ts';
import { API_KEY } from '../wire/api-key.ts';
import { WireReader } from '../wire/wire-reader.ts';
import type { WireWriter } from '../wire/wire-writer.ts';
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

/** What a Fetch of several partitions brings. */
export interface FetchedPartitions {
  /** Of all. */
  readonly error: number;
  /** None when `error` is set, or when a client above its quota gets nothing but the throttle time (KIP-219). */
  readonly partitions: ReadonlyMap<number, FetchResponse>;
  /** Stands for a partition that is not there. */
  readonly nothing: FetchResponse;
}

const FETCH_API = {
  name: 'Fetch',
  key: API_KEY.Fetch,
  versions: [11, 13],
  flexibleFrom: 12,
} as const;

export const FETCH: KafkaApi<FetchRequest, FetchResponse> = {
  ...FETCH_API,
  encode: (w, request, version) => encodeFetch(w, [request], version),
  decode(r, version) {
    const { error, partitions, nothing: none } = decodeFetch(r, version);
    if (error !== 0 || partitions.size === 0) return none;
    const [response = none] = partitions.values();
    return partitions.size === 1 ? response : nothing(r, -1);
  },
};

/** Of partitions of one topic, each once, that agree in `waitMs` and `committedOnly`. */
export const FETCH_PARTITIONS: KafkaApi<readonly FetchRequest[], FetchedPartitions> = {
  ...FETCH_API,
  encode: encodeFetch,
  decode: decodeFetch,
};

function encodeFetch(w: WireWriter, requests: readonly FetchRequest[], version: number): void {
  const flexible = version >= 12;
  const [first] = requests;
  if (first === undefined) return;
  const bytesMax = requests.reduce((sum, request) => sum + request.bytesMax, 0);
  w.int32(-1).int32(first.waitMs).int32(1).int32(bytesMax);
  w.int8(first.committedOnly ? 1 : 0);
  w.int32(0).int32(-1); // no fetch session
  const partition = (request: FetchRequest): void => {
    w.int32(request.partition).int32(request.leaderEpoch).int64(request.offset);
    if (flexible) w.int32(request.lastFetchedEpoch);
    w.int64(-1).int32(request.bytesMax);
    if (flexible) w.taggedFields();
  };
  if (!flexible) {
    w.array([first.topic], (topic) => w.string(topic).array(requests, partition));
    w.int32(0).string(''); // forgotten topics, rack
    return;
  }
  w.compactArray([0], () => {
    if (version >= FETCH_BY_TOPIC_ID) w.uuid(first.topicId ?? '');
    else w.compactString(first.topic);
    w.compactArray(requests, partition).taggedFields();
  });
  w.compactArray([], () => {})
    .compactString('')
    .taggedFields();
}

function decodeFetch(r: WireReader, version: number): FetchedPartitions {
  const flexible = version >= 12;
  r.int32(); // throttle time
  const error = r.int16();
  r.int32(); // session id
  const partitions = new Map<number, FetchResponse>();
  const none = (code: number): FetchedPartitions => ({ error: code, partitions, nothing: nothing(r, code) });
  if (error !== 0) return none(error);
  const topics = flexible ? r.unsignedVarint() - 1 : r.int32();
  if (topics === 0) return none(0);
  if (topics !== 1) return none(-1);
  if (version >= FETCH_BY_TOPIC_ID) r.raw(16);
  else if (flexible) r.compactString();
  else r.string();
  const count = flexible ? r.unsignedVarint() - 1 : r.int32();
  if (count < 1) return none(-1);
  for (let i = 0; i < count; i++) partitions.set(r.int32(), decodePartition(r, flexible));
  return { error, partitions, nothing: nothing(r, 0) };
}

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

/** After its number. */
function decodePartition(r: WireReader, flexible: boolean): FetchResponse {
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

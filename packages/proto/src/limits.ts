import type { ChannelOptions } from '@grpc/grpc-js';

/** A gRPC message of more bytes is refused by both sides with MESSAGE_TOO_LARGE. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** A chunk of a stream has at most this many bytes. */
export const CHUNK_BYTES_MAX = 1024 * 1024;
/** Deadline of a unary call that sets none. */
export const UNARY_DEADLINE_MS = 10_000;
export const KEEPALIVE_MS = 10_000;
export const KEEPALIVE_TIMEOUT_MS = 5_000;

/** Of both sides. A peer that is gone without a word is noticed within KEEPALIVE_MS + KEEPALIVE_TIMEOUT_MS. */
const COMMON: ChannelOptions = {
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.keepalive_permit_without_calls': 1,
};

export const SERVER_OPTIONS: ChannelOptions = COMMON;

export const CLIENT_OPTIONS: ChannelOptions = {
  ...COMMON,
  // Default 64 KiB: half the bytes per second when blocks are pulled. grpc-js reads it on the client only.
  'grpc-node.flow_control_window': 1024 * 1024,
  // Default 30 s: a driver container that was restarted has another address, and must be found again within P4's 10 s.
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // Proxies are for the internet: a cluster's own traffic never takes http_proxy from the environment.
  'grpc.enable_http_proxy': 0,
  // Reconnecting is decided by who uses the channel; between its attempts gRPC waits at most this long.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // No transparent retries: each call says what its failure means.
  'grpc.enable_retries': 0,
};

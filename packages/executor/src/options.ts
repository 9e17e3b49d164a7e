import { availableParallelism, hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigSchema,
  custom,
  duration,
  integer,
  optional,
  type Resolved,
  text,
} from '@millrace/common';
import type { TlsOptions } from '@millrace/proto';

const MEBIBYTE = 1024 * 1024;

/** Options of an executor. */
export const EXECUTOR_OPTIONS = {
  driver: text({
    doc: 'Address of the driver, as "host:port".',
    pattern: /^\S+:\d{1,5}$/,
    default: 'localhost:7077',
  }),
  token: optional(text({ doc: 'Shared secret of the cluster; every call carries it.', secret: true })),
  tls: optional(custom(tlsOptions, { doc: 'TLS as PEM texts: { ca, cert, key }.', secret: true })),
  host: text({
    doc: 'Host name that others know this executor by: for location strategies and for fetching its blocks.',
    default: hostname(),
    defaultText: 'name of the machine',
  }),
  rack: optional(text({ doc: 'Rack or zone of this executor.' })),
  slots: integer({
    doc: 'Tasks that run at the same time; each slot is a process of its own.',
    unit: 'slots',
    default: availableParallelism(),
    defaultText: 'CPUs of the machine',
    min: 1,
    max: 1024,
  }),
  slotMemoryBytesMax: integer({
    doc: 'Resident memory of a slot; a task that makes it use more ends in TASK_OOM. Three quarters of it may be JavaScript heap.',
    unit: 'bytes',
    default: 1024 * MEBIBYTE,
    min: 128 * MEBIBYTE,
  }),
  slotStartTimeoutMs: duration({
    doc: 'Until when a slot process must be ready.',
    default: 30_000,
    min: 1_000,
  }),
  workDir: text({
    doc: 'Where unpacked programs lie; used by executors of this machine only.',
    default: join(tmpdir(), `millrace-executor-${userInfo().username}`),
    defaultText: 'below the temporary directory',
  }),
  blockHost: text({
    doc: 'Address that the block service binds to; other than loopback needs a token or mutual TLS.',
    default: 'localhost',
  }),
  blockPort: integer({ doc: 'Port of the block service; 0: any free one.', default: 0, max: 65_535 }),
  blockBytesMax: integer({
    doc: 'Memory for results over 1 MiB until the driver fetches them.',
    unit: 'bytes',
    default: 512 * MEBIBYTE,
  }),
  blobBytesMax: integer({
    doc: 'Memory for broadcasts and large snapshots that slots share.',
    unit: 'bytes',
    default: 256 * MEBIBYTE,
  }),
  shuffleBytesMax: integer({
    doc: 'Disk that map outputs of shuffles and persisted datasets may take, below workDir.',
    unit: 'bytes',
    default: 64 * 1024 * MEBIBYTE,
  }),
  cacheBytesMax: integer({
    doc: 'Disk that datasets persisted as MEMORY_ONLY may take of it; the least recently used is given up for another.',
    unit: 'bytes',
    default: 4 * 1024 * MEBIBYTE,
  }),
  shuffleMemoryBytesMax: integer({
    doc: 'Rows that one operator of a task, or one write of a shuffle, holds in memory; the rest goes to disk.',
    unit: 'bytes',
    default: 64 * MEBIBYTE,
    min: MEBIBYTE,
  }),
  shuffleInlineBytesMax: integer({
    doc: 'What a map task makes of a shuffle travels in its result up to this size, without a file: the reader fetches nothing, and nothing is lost with the executor. 0: always a file.',
    unit: 'bytes',
    default: 16 * 1024,
    max: MEBIBYTE,
  }),
  shuffleFetchTimeoutMs: duration({
    doc: 'How long another executor may send nothing of a block before it counts as lost.',
    default: 30_000,
    min: 100,
  }),
  programsMax: integer({ doc: 'Unpacked programs that are kept.', unit: 'programs', default: 32, min: 1 }),
  heartbeatIntervalMs: duration({
    doc: 'Time between two heartbeats, unless the driver asks for another.',
    default: 1_000,
    min: 10,
  }),
} as const satisfies ConfigSchema;

/** What a user gives: every option may be left out. */
export type ExecutorOptions = Partial<{
  readonly [K in keyof typeof EXECUTOR_OPTIONS]: unknown;
}>;
export type ResolvedExecutorOptions = Resolved<typeof EXECUTOR_OPTIONS>;

function tlsOptions(given: unknown): TlsOptions {
  const known = ['ca', 'cert', 'key'];
  const ok =
    given !== null &&
    typeof given === 'object' &&
    Object.entries(given).every(([key, value]) => known.includes(key) && typeof value === 'string');
  if (!ok) throw new TypeError('expected { ca, cert, key } with PEM texts');
  return given;
}

import { custom, duration, flag, integer, optional, type Resolved, text } from '@millrace/common';
import { BUNDLE_BYTES_MAX, type TlsOptions } from '@millrace/proto';

const MIB = 1024 * 1024;

function tls(given: unknown): TlsOptions {
  const problem = 'expected { cert, key, ca? }, each a PEM text';
  if (given === null || typeof given !== 'object') throw new TypeError(problem);
  for (const [name, value] of Object.entries(given)) {
    if (!['ca', 'cert', 'key'].includes(name) || typeof value !== 'string') throw new TypeError(problem);
  }
  return given;
}

/** Configuration of a driver process. */
export const DRIVER_OPTIONS = {
  host: text({
    doc: 'Address that the driver listens on. Off loopback it needs a token or mutual TLS.',
    default: '127.0.0.1',
  }),
  port: integer({ doc: 'Port of the driver; 0: any free one.', default: 7077, max: 65_535 }),
  stateDir: text({ doc: 'Directory for submissions, programs and application logs. One driver at a time.' }),
  checkpointStore: text({
    doc: 'Where logs of offsets and keyed state are kept: "directory" (below stateDir), or postgres://user:password@host:port/database. "env:NAME" and "file:PATH" name an environment variable or a file that holds it.',
    default: 'directory',
    secret: true,
  }),
  token: optional(text({ doc: 'Shared secret that every call must carry.', secret: true })),
  tls: optional(
    custom<TlsOptions>(tls, {
      doc: 'TLS: certificate and key as PEM texts; with `ca`, mutual.',
      secret: true,
    }),
  ),
  heartbeatIntervalMs: duration({ doc: 'How often executors say that they live.', default: 1_000, min: 50 }),
  executorTimeoutMs: duration({
    doc: 'An executor that says nothing for so long is lost; its tasks run elsewhere.',
    default: 4_500,
    min: 200,
  }),
  executorsMax: integer({ doc: 'Executors that may be registered at once.', default: 10_000, min: 1 }),
  resultBytesMax: integer({
    doc: 'Largest result of a task.',
    unit: 'bytes',
    default: 512 * MIB,
    min: 1,
  }),
  resultFetchTimeoutMs: duration({ doc: 'Bound on fetching a large result.', default: 60_000, min: 100 }),
  contentBytesMax: integer({
    doc: 'Bytes of broadcasts and snapshots that the driver holds for all applications.',
    unit: 'bytes',
    default: 1024 * MIB,
  }),
  bundleBytesMax: integer({
    doc: 'Largest program that may be submitted.',
    unit: 'bytes',
    default: BUNDLE_BYTES_MAX,
    max: BUNDLE_BYTES_MAX,
  }),
  uploadTimeoutMs: duration({ doc: 'Bound on the upload of a program.', default: 60_000, min: 100 }),
  jobStartTimeoutMs: duration({
    doc: 'Bound on evaluating and checking a job, and again on taking its epoch.',
    default: 60_000,
    min: 100,
  }),
  hostStartTimeoutMs: duration({ doc: 'Bound on the start of a host process.', default: 30_000, min: 100 }),
  hostPingIntervalMs: duration({
    doc: 'How often hosts are asked whether they live.',
    default: 1_000,
    min: 10,
  }),
  hostPongTimeoutMs: duration({
    doc: 'A host that does not answer for so long is killed and started again.',
    default: 10_000,
    min: 20,
  }),
  spareHost: flag({ doc: 'Keep one host process started ahead for the next submission.', default: true }),
  stopTimeoutMs: duration({
    doc: 'How long a stop waits for the application when the caller says nothing.',
    default: 30_000,
  }),
  logBytesMax: integer({
    doc: 'Size of an application log file; one older file of the same size is kept.',
    unit: 'bytes',
    default: 16 * MIB,
    min: 64 * 1024,
  }),
} as const;

export type DriverOptions = Resolved<typeof DRIVER_OPTIONS>;
/** What a user gives: `stateDir` is required. */
export type DriverOptionsGiven = Partial<{ [K in keyof DriverOptions]: unknown }> & {
  readonly stateDir: string;
};

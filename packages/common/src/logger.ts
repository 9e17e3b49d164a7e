import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import type { PrettyOptions } from 'pino-pretty';
import { MillraceError } from './millrace-error.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  /** Which process speaks: driver, executor, host … */
  readonly name: string;
  readonly level?: string;
  /** Default: pretty on a terminal, JSON otherwise. */
  readonly format?: 'json' | 'pretty';
  /** Default: standard error, so that standard output stays data. */
  readonly fd?: number;
}

// Values of keys like these never reach a log line (Spark's spark.redaction.regex, and SASL).
const REDACTED = [
  'password',
  'token',
  'secret',
  'sasl',
  '*.password',
  '*.token',
  '*.secret',
  '*.sasl',
  '*.*.password',
  '*.*.token',
];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * A pino logger: a constant message and fields. `MILLRACE_LOG_LEVEL` overrides the level.
 * @throws MillraceError CONFIG_INVALID when that is no level.
 */
export function createLogger(options: LogOptions): Logger {
  const fd = options.fd ?? 2;
  const stream = fd === 2 ? process.stderr : process.stdout;
  const pretty = (options.format ?? (stream.isTTY === true ? 'pretty' : 'json')) === 'pretty';
  const settings: LoggerOptions = {
    name: options.name,
    level: levelOf(process.env['MILLRACE_LOG_LEVEL']) ?? options.level ?? 'info',
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: stdTimeFunctions.isoTime,
  };
  const destination: DestinationStream = pretty
    ? prettyStream({
        destination: fd,
        sync: true,
        colorize: stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
        ignore: 'pid,hostname',
      })
    : pino.destination({ dest: fd, sync: true });
  return pino(settings, destination);
}

/** An empty variable counts as unset. */
function levelOf(given = ''): string | undefined {
  if (given === '' || LEVELS.includes(given)) return given || undefined;
  throw new MillraceError('CONFIG_INVALID', `MILLRACE_LOG_LEVEL: "${given}" is no level of a log`, {
    remedy: `Use one of ${LEVELS.join(', ')}.`,
  });
}

/** Loaded for terminals only: it is large, and every slot would carry it. */
function prettyStream(options: PrettyOptions): DestinationStream {
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  return PinoPretty(options);
}

/** A logger that says nothing: for tests. */
export const silentLogger: Logger = pino({ level: 'silent' });

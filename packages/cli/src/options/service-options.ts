import type { ConfigSchema } from '@millrace/common';
import type { CliContext } from '../cli-context.ts';
import { readToken, TOKEN_FILE } from './cluster-options.ts';
import { resolveFlags } from './flags.ts';
import { readTls, TLS_FLAGS, type TlsFlags } from './tls-options.ts';

/** Flags of `driver` and `executor`: the options of their packages, with files for the token and TLS. */
export function serviceSchema(options: ConfigSchema): ConfigSchema {
  const { tls: _asFiles, ...rest } = options;
  return { ...rest, tokenFile: TOKEN_FILE, ...TLS_FLAGS };
}

/** What startDriver and startExecutor take; `command`: whose flags they are. @throws UsageError with the problems of all flags, else with those of the files that they name. */
export function resolveServiceFlags(
  command: 'driver' | 'executor',
  options: ConfigSchema,
  given: Readonly<Record<string, unknown>>,
  cli: CliContext,
): Readonly<Record<string, unknown>> {
  const flags = resolveFlags(serviceSchema(options), given, cli.env, { command }) as TlsFlags & {
    readonly token: string | undefined;
    readonly tokenFile: string | undefined;
  } & Readonly<Record<string, unknown>>;
  const { tokenFile: _file, tlsCa: _ca, tlsCert: _cert, tlsKey: _key, ...rest } = flags;
  const token = readToken(flags, cli.cwd);
  const tls = readTls(flags, cli.cwd);
  const resolved = { ...rest, token, tls };
  return Object.fromEntries(Object.entries(resolved).filter(([, value]) => value !== undefined));
}

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type ConfigEntry,
  type ConfigSchema,
  custom,
  duration,
  messageOf,
  optional,
  type Resolved,
  text,
} from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { UsageError } from '../usage-error.ts';
import { TLS_FLAGS } from './tls-options.ts';

export const DRIVER_ADDRESS_DEFAULT = '127.0.0.1:7077';

type TlsSchema = typeof TLS_FLAGS;

interface ClusterSchema extends ConfigSchema, TlsSchema {
  readonly driver: ConfigEntry<string>;
  readonly token: ConfigEntry<string | undefined>;
  readonly tokenFile: ConfigEntry<string | undefined>;
  readonly timeout: ConfigEntry<number>;
}

function hostAndPort(given: unknown): string {
  const [, port] = /^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(String(given)) ?? [];
  if (Number(port) >= 1 && Number(port) <= 65_535) return String(given);
  throw new TypeError(`expected host:port with a port in [1, 65535], got ${JSON.stringify(given)}`);
}

/** Beside `token`: a file is not seen in a process list. */
export const TOKEN_FILE: ConfigEntry<string | undefined> = optional(
  text({ doc: 'file that holds the token', unit: 'path' }),
);

/** Flags of every command that speaks to a driver. `timeoutMs`: how long the driver may take to be reached and to answer. */
export function clusterSchema(timeoutMs: number): ClusterSchema {
  return {
    driver: custom(hostAndPort, {
      doc: 'address of the driver',
      unit: 'host:port',
      default: DRIVER_ADDRESS_DEFAULT,
    }),
    token: optional(
      text({ doc: "the cluster's shared secret; better in the environment or a file", secret: true }),
    ),
    tokenFile: TOKEN_FILE,
    ...TLS_FLAGS,
    timeout: duration({
      doc: 'how long the driver may take to be reached (5 s where nothing listens), and to answer',
      default: timeoutMs,
      min: 1,
    }),
  };
}

/**
 * The token: given as such, or the content of the token file.
 * @throws UsageError when both are given, or the file cannot be read or is empty.
 */
export function readToken(
  flags: Resolved<Pick<ClusterSchema, 'token' | 'tokenFile'>>,
  cwd: string,
): string | undefined {
  const { token, tokenFile } = flags;
  if (tokenFile === undefined) return token;
  if (token !== undefined)
    throw new UsageError(['give --token or --token-file (or their variables), not both']);
  let content: string;
  try {
    content = readFileSync(resolve(cwd, tokenFile), 'utf8').trim();
  } catch (error) {
    throw new UsageError([`--token-file: ${messageOf(error)}`]);
  }
  if (content === '') throw new UsageError([`--token-file: ${tokenFile} is empty`]);
  return content;
}

/** How much a command says, and in which form. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export function addOutputFlags(command: Command, json: string | undefined): Command {
  if (json !== undefined) command.option('--json', json);
  return command
    .option('--quiet', 'no progress on standard error')
    .option('--verbose', 'more progress, and stacks of errors');
}

/** Writes one JSON document or line; `version` names the schema. */
export function writeJson(cli: CliContext, document: Readonly<Record<string, unknown>>): void {
  cli.terminal.out(`${JSON.stringify({ version: 1, ...document })}\n`);
}

import {
  type ConfigEntry,
  type ConfigSchema,
  MillraceError,
  messageOf,
  type Resolved,
} from '@millrace/common';
import type { Command } from 'commander';
import type { Environment } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `tokenFile` → `token-file`. */
function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `tokenFile` → `MILLRACE_TOKEN_FILE`. */
export function environmentName(key: string): string {
  return `MILLRACE_${kebab(key).replaceAll('-', '_').toUpperCase()}`;
}

/** Adds one flag a configuration entry, with its doc, environment variable and default. Values are checked by `resolveFlags`. */
export function addFlags(command: Command, schema: ConfigSchema): Command {
  for (const [key, entry] of Object.entries(schema)) {
    const facts = [`env ${environmentName(key)}`];
    if (entry.default !== undefined) facts.push(`default ${shownDefault(entry)}`);
    const placeholder = isSwitch(entry) ? '[true|false]' : `<${entry.unit ?? 'value'}>`;
    command.option(`--${kebab(key)} ${placeholder}`, `${entry.doc} (${facts.join(', ')})`);
  }
  return command;
}

function shownDefault(entry: ConfigEntry<unknown>): string {
  if (entry.secret === true) return '***';
  const unit = entry.unit === undefined ? '' : ` ${entry.unit}`;
  return `${typeof entry.default === 'string' ? entry.default : JSON.stringify(entry.default)}${unit}`;
}

/** Whether an entry holds true or false: the flag alone means true. */
function isSwitch(entry: ConfigEntry<unknown>): boolean {
  return typeof entry.default === 'boolean';
}

/**
 * Values of a command's flags: flag over environment over default. Empty variables count as unset.
 * @throws UsageError listing every problem (and `problems`, found elsewhere), each naming its flag or variable.
 */
export function resolveFlags<S extends ConfigSchema>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
  env: Environment,
  problems: readonly string[] = [],
): Resolved<S> {
  const found = [...problems];
  const value: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(schema)) {
    const variable = environmentName(key);
    const fromEnv = env[variable] === '' ? undefined : env[variable];
    const raw = given[key] ?? fromEnv;
    const source = given[key] === undefined ? variable : `--${kebab(key)}`;
    if (raw === undefined) {
      if (Object.hasOwn(entry, 'default')) value[key] = entry.default;
      else found.push(`--${kebab(key)} (or ${variable}) is required: ${entry.doc}`);
      continue;
    }
    try {
      value[key] = entry.parse(raw);
    } catch (error) {
      found.push(`${source}: ${entry.secret === true ? 'has the wrong form' : textOf(error)}`);
    }
  }
  if (found.length > 0) throw new UsageError(found);
  return value as Resolved<S>;
}

/** Why a value was refused: a list of problems needs no code after each. */
export function textOf(error: unknown): string {
  return MillraceError.is(error) ? `${error.what}. ${error.remedy}`.trim() : messageOf(error);
}

/** The environment, with `KAFKA_BROKERS` (as Kafka's own tools and this project's tests call it) for `--brokers`. */
export function withKafkaBrokers(env: Environment): Environment {
  const brokers = env[environmentName('brokers')] ?? env['KAFKA_BROKERS'];
  return { ...env, [environmentName('brokers')]: brokers };
}

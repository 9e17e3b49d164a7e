import { type ConfigEntry, type ConfigSchema, type Resolved, whyRefused } from '@millrace/common';
import type { Command } from 'commander';
import type { Environment } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `tokenFile` → `token-file`. */
function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What a driver listens on is not what an executor is called: on one machine each needs a variable of its own. */
const OF_ONE_COMMAND: ReadonlySet<string> = new Set(['host']);

/** `tokenFile` → `MILLRACE_TOKEN_FILE`; `host` of `executor` → `MILLRACE_EXECUTOR_HOST`. */
export function environmentName(key: string, command: string): string {
  const name = OF_ONE_COMMAND.has(key) ? `${command}-${kebab(key)}` : kebab(key);
  return `MILLRACE_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** Adds one flag a configuration entry, with its doc, environment variable and default. Values are checked by `resolveFlags`. */
export function addFlags(command: Command, schema: ConfigSchema): Command {
  for (const [key, entry] of Object.entries(schema)) {
    const facts = [`env ${environmentName(key, command.name())}`];
    if (entry.default !== undefined) facts.push(`default ${shownDefault(entry)}`);
    const placeholder = isSwitch(entry) ? '[true|false]' : `<${entry.unit ?? 'value'}>`;
    command.option(`--${kebab(key)} ${placeholder}`, `${entry.doc} (${facts.join(', ')})`);
  }
  return command;
}

function shownDefault(entry: ConfigEntry<unknown>): string {
  if (entry.secret === true) return '***';
  if (typeof entry.default === 'string') return entry.default;
  return `${JSON.stringify(entry.default)}${entry.unit === undefined ? '' : ` ${entry.unit}`}`;
}

/** Whether an entry holds true or false: the flag alone means true. */
function isSwitch(entry: ConfigEntry<unknown>): boolean {
  return typeof entry.default === 'boolean';
}

/**
 * Values of a command's flags: flag over environment over default. Empty variables count as unset. `command`: its name, for an option
 * whose variable is its own.
 * @throws UsageError listing every problem (and `problems`, found elsewhere), each naming its flag or variable.
 */
export function resolveFlags<S extends ConfigSchema>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
  env: Environment,
  { problems = [], command = '' }: { readonly problems?: readonly string[]; readonly command?: string } = {},
): Resolved<S> {
  const found = [...problems];
  const value: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(schema)) {
    const variable = environmentName(key, command);
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
      found.push(`${source}: ${entry.secret === true ? 'has the wrong form' : whyRefused(error)}`);
    }
  }
  if (found.length > 0) throw new UsageError(found);
  return value as Resolved<S>;
}

/** The environment, with `KAFKA_BROKERS` (as Kafka's own tools and this project's tests call it) for `--brokers`. */
export function withKafkaBrokers(env: Environment): Environment {
  return { ...env, MILLRACE_BROKERS: env['MILLRACE_BROKERS'] ?? env['KAFKA_BROKERS'] };
}

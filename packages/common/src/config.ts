import { durationMs } from './duration.ts';
import { MillraceError, messageOf } from './millrace-error.ts';
import { unknownOption } from './nearest-name.ts';

/** One configuration key: what it means, its unit, its default and its check. The reference page is made from these. */
export interface ConfigEntry<T> {
  readonly doc: string;
  /** Units of the resolved value: 'ms', 'bytes', 'records/s' … */
  readonly unit?: string;
  /** Absent: the key is required. */
  readonly default?: T;
  /** What the reference page calls a default that differs from machine to machine. */
  readonly defaultText?: string;
  /** Not printed and not logged. */
  readonly secret?: boolean;
  /** Turns what the user wrote into the resolved value; throws an Error whose message says what was expected. */
  readonly parse: (given: unknown) => T;
}

export type ConfigSchema = Readonly<Record<string, ConfigEntry<unknown>>>;
/** What a schema resolves to. */
export type Resolved<S extends ConfigSchema> = {
  readonly [K in keyof S]: S[K] extends ConfigEntry<infer T> ? T : never;
};

type EntryOptions<T> = Omit<ConfigEntry<T>, 'parse' | 'default'> & { readonly default?: T };

function expected(what: string, given: unknown): never {
  throw new TypeError(
    `expected ${what}, got ${typeof given === 'string' ? JSON.stringify(given) : messageOf(given)}`,
  );
}

/** An integer in [min, max]. Texts of digits (flags, environment) are accepted. */
export function integer(
  options: EntryOptions<number> & { readonly min?: number; readonly max?: number },
): ConfigEntry<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    ...options,
    parse(given) {
      const value = typeof given === 'string' && /^-?\d+$/.test(given) ? Number(given) : given;
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return expected('an integer', given);
      if (value < min || value > max) return expected(`an integer in [${min}, ${max}]`, given);
      return value;
    },
  };
}

/** A duration, resolved to milliseconds. */
export function duration(
  options: EntryOptions<number> & { readonly min?: number; readonly max?: number },
): ConfigEntry<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    unit: 'ms',
    ...options,
    parse(given) {
      if (typeof given !== 'number' && typeof given !== 'string') return expected('a duration', given);
      const value = /^\d+$/.test(String(given)) ? Number(given) : durationMs(given);
      if (value < min || value > max) return expected(`a duration in [${min} ms, ${max} ms]`, given);
      return value;
    },
  };
}

/** A non-empty text. */
export function text(options: EntryOptions<string> & { readonly pattern?: RegExp }): ConfigEntry<string> {
  return {
    ...options,
    parse(given) {
      if (typeof given !== 'string' || given === '') return expected('a non-empty text', given);
      if (options.pattern && !options.pattern.test(given))
        return expected(`a text like ${options.pattern.source}`, given);
      return given;
    },
  };
}

/** true or false (as texts, too). */
export function flag(options: EntryOptions<boolean>): ConfigEntry<boolean> {
  return {
    ...options,
    parse(given) {
      if (typeof given === 'boolean') return given;
      if (given === 'true' || given === '1') return true;
      if (given === 'false' || given === '0') return false;
      return expected('true or false', given);
    },
  };
}

/** One of a few texts. */
export function oneOf<const T extends string>(
  values: readonly T[],
  options: EntryOptions<T>,
): ConfigEntry<T> {
  return {
    ...options,
    parse(given) {
      const found = values.find((value) => value === given);
      return found ?? expected(`one of ${values.join(', ')}`, given);
    },
  };
}

/** Any value that `check` accepts; `check` returns the resolved value or throws. */
export function custom<T>(check: (given: unknown) => T, options: EntryOptions<T>): ConfigEntry<T> {
  return { ...options, parse: check };
}

/** Makes a key optional: its resolved value may be undefined. */
export function optional<T>(entry: ConfigEntry<T>): ConfigEntry<T | undefined> {
  return {
    ...entry,
    default: undefined,
    parse: (given) => (given === undefined ? undefined : entry.parse(given)),
  };
}

/** Problems of `given` against `schema`, each one sentence, and what could be resolved. Never throws. */
export function checkConfig<S extends ConfigSchema>(
  schema: S,
  given: unknown,
  where: string,
): { readonly problems: readonly string[]; readonly value: Resolved<S> | undefined } {
  const problems: string[] = [];
  const value: Record<string, unknown> = {};
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    return { problems: [`${where}: expected an object of options`], value: undefined };
  }
  const options = given as Record<string, unknown>;
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(schema, key)) continue;
    problems.push(`${where}: ${unknownOption(key, Object.keys(schema))}`);
  }
  for (const [key, entry] of Object.entries(schema)) {
    const raw = options[key];
    if (raw === undefined) {
      if (Object.hasOwn(entry, 'default')) value[key] = entry.default;
      else problems.push(`${where}: "${key}" is required: ${entry.doc}`);
      continue;
    }
    try {
      value[key] = entry.parse(raw);
    } catch (error) {
      problems.push(
        `${where}: "${key}": ${entry.secret === true ? 'has the wrong form' : whyRefused(error)}`,
      );
    }
  }
  return { problems, value: problems.length === 0 ? (value as Resolved<S>) : undefined };
}

/** Why an entry's `parse` refused a value: a list of problems needs no code after each. */
export function whyRefused(error: unknown): string {
  return MillraceError.is(error) ? `${error.what}. ${error.remedy}`.trim() : messageOf(error);
}

/**
 * Resolves user options against a schema.
 * @throws MillraceError CONFIG_INVALID that lists every problem, one a line, each beginning with `where`.
 */
export function resolveConfig<S extends ConfigSchema>(schema: S, given: unknown, where: string): Resolved<S> {
  const { problems, value } = checkConfig(schema, given, where);
  if (value === undefined) throw new MillraceError('CONFIG_INVALID', problems.join('\n'));
  return value;
}

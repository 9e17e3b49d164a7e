import type { Environment } from '../terminal.ts';

export interface Assignments {
  readonly values: Readonly<Record<string, string>>;
  /** One sentence each. */
  readonly problems: readonly string[];
}

/** `--flag key=value`, repeated; the last of a key wins. With `env`, `--flag KEY` alone passes the variable on. */
export function parseAssignments(
  flag: string,
  given: readonly string[],
  passThrough?: Environment,
): Assignments {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  const problems: string[] = [];
  for (const text of given) {
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    if (key.trim() === '') problems.push(`${flag}: ${JSON.stringify(text)} has no name before "="`);
    else if (at >= 0) values[key] = text.slice(at + 1);
    else if (passThrough === undefined)
      problems.push(`${flag}: expected key=value, got ${JSON.stringify(text)}`);
    else {
      const inherited = passThrough[key];
      if (inherited === undefined) problems.push(`${flag}: ${key} is not set here: give ${key}=value`);
      else values[key] = inherited;
    }
  }
  return { values: { ...values }, problems };
}

/** A commander collector for an option that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

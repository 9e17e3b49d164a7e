import { type ConfigEntry, unknownOption, whyRefused } from '@millrace/common';

/** Problems of `--conf` against the options of a job: unknown names, wrong values. The driver checks them again. */
export async function checkOverrides(values: Readonly<Record<string, string>>): Promise<string[]> {
  const keys = Object.keys(values);
  if (keys.length === 0) return [];
  const { JOB_OPTIONS } = await import('@millrace/api/internal');
  const options: Readonly<Record<string, ConfigEntry<unknown>>> = JOB_OPTIONS;
  return keys.flatMap((key) => {
    const entry = Object.hasOwn(options, key) ? options[key] : undefined;
    if (entry === undefined) return [`--conf: ${unknownOption(key, Object.keys(options))}`];
    try {
      entry.parse(values[key]);
      return [];
    } catch (error) {
      return [`--conf ${key}: ${whyRefused(error)}`];
    }
  });
}

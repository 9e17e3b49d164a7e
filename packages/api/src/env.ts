import { durationMs, MillraceError } from '@millrace/common';

/**
 * An environment variable of the process that evaluates the job module (the application host); `submit --env NAME=VALUE` sets one.
 * @throws MillraceError ENV_MISSING when it is not set and no fallback is given.
 */
export function env(name: string, fallback?: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  if (fallback !== undefined) return fallback;
  throw new MillraceError('ENV_MISSING', `environment variable ${name} is not set`, {
    remedy: `Set it where the driver runs, or submit with --env ${name}=….`,
    details: { name },
  });
}

/**
 * The duration that a text says which is known at run time only: `duration(env('VISIT_TIMEOUT', '30s'))`, in milliseconds.
 * @throws MillraceError CONFIG_INVALID.
 */
export function duration(text: string): number {
  return durationMs(text);
}

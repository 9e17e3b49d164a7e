import type { ApplicationStatus, ExecutorStatus } from '../client/cluster-client.ts';
import { recordJson } from '../error-report.ts';

/** The stable JSON form of an application's status. */
export function statusJson(status: ApplicationStatus): Readonly<Record<string, unknown>> {
  const { error, ...facts } = status;
  return { ...facts, error: error ? recordJson(error) : null };
}

/** The stable JSON form of an executor's. */
export function executorJson(executor: ExecutorStatus): Readonly<Record<string, unknown>> {
  return { ...executor };
}

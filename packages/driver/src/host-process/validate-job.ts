import type { DriverToHost } from '../host-protocol.ts';
import { type HostAnswerOptions, hostAnswer, type Notice } from './host-answer.ts';
import type { HostProcess } from './host-process.ts';
import type { HostLine } from './output-lines.ts';

/** A host that evaluated a job module, found nothing wrong, and waits to be granted its name. */
export interface ValidatedJob {
  readonly host: HostProcess;
  readonly application: string;
  readonly notes: readonly string[];
  /** What the checks had to say besides: large captures, a Kafka that was away. */
  readonly notices: readonly Notice[];
  /** What the module printed meanwhile. */
  readonly output: readonly HostLine[];
}

/** Has a host evaluate and check a job. On any failure the host is killed. @throws MillraceError: see `hostAnswer`. */
export async function validateJob(
  host: HostProcess,
  start: Extract<DriverToHost, { kind: 'start' }>,
  options: HostAnswerOptions,
): Promise<ValidatedJob> {
  const { answer, notices, output } = await hostAnswer(host, start, 'validated', options);
  const { application, notes } = answer;
  return { host, application, notes, notices, output };
}

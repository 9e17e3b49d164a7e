import type { ErrorRecord } from '@millrace/common';
import type { ApplicationStatus, ExecutorStatus } from '../client/cluster-client.ts';
import { grouped, shortBytes, shortDuration } from './quantity.ts';
import { textTable } from './text-table.ts';

/** `millrace status`: one fact a line. */
export function statusText(status: ApplicationStatus, now: number): string {
  const facts: ReadonlyArray<readonly [string, string]> = [
    ['application', status.application],
    ['state', status.state],
    ['epoch', String(status.epoch)],
    ['program', shortId(status.programId)],
    ['submitted', `${shortDuration(Math.max(0, now - status.submittedAt))} ago`],
    ['host pid', status.hostPid === 0 ? '–' : String(status.hostPid)],
    ['restarts', String(status.restarts)],
    ['batches', grouped(status.batches)],
    ['records', grouped(status.records)],
    ['skipped', skipped(status)],
    ['dead letters', grouped(status.deadLetters)],
    ['lag', grouped(status.lag)],
    ['last batch', lastBatch(status, now)],
    ...(status.lastNotice ? [['last notice', lastNotice(status.lastNotice, now)] as const] : []),
    ...(status.error ? [['error', oneLine(status.error)] as const] : []),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return `${facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`;
}

function skipped({ skippedUndecodable, skippedDeleted }: ApplicationStatus): string {
  if (skippedUndecodable + skippedDeleted === 0) return '0';
  return `${grouped(skippedUndecodable)} undecodable, ${grouped(skippedDeleted)} deleted by retention`;
}

function lastBatch(status: ApplicationStatus, now: number): string {
  if (status.lastBatchTime === 0) return '–';
  const age = shortDuration(Math.max(0, now - status.lastBatchTime));
  return `${new Date(status.lastBatchTime).toISOString()} (${age} ago), processed in ${shortDuration(status.lastProcessingMs)}`;
}

function lastNotice(notice: NonNullable<ApplicationStatus['lastNotice']>, now: number): string {
  return `${shortDuration(Math.max(0, now - notice.at))} ago: ${firstLine(notice.text)}`;
}

function oneLine(error: ErrorRecord): string {
  return `${firstLine(error.what)} [${error.code}]`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** `millrace rollback --list`: what can be submitted again, newest first; the first line is what it has now. */
export function programsText(
  { programId, submittedAt, earlierPrograms }: ApplicationStatus,
  now: number,
): string {
  const line = (id: string, at: number, what = ''): string =>
    `${shortId(id)}  submitted ${new Date(at).toISOString()} (${shortDuration(Math.max(0, now - at))} ago)${what}\n`;
  const earlier = earlierPrograms.map((program) => line(program.programId, program.submittedAt));
  return [line(programId, submittedAt, ', the current one'), ...earlier].join('');
}

function shortId(id: string): string {
  return id.slice(0, 12);
}

/** `millrace list`: applications, then executors. */
export function listText(
  applications: readonly ApplicationStatus[],
  executors: readonly ExecutorStatus[],
  now: number,
): string {
  const age = (since: number): string => shortDuration(Math.max(0, now - since));
  const lines =
    applications.length === 0
      ? ['no applications']
      : textTable(
          [
            { head: 'APPLICATION' },
            { head: 'STATE' },
            { head: 'AGE', numeric: true },
            { head: 'BATCHES', numeric: true },
            { head: 'RECORDS', numeric: true },
            { head: 'LAG', numeric: true },
            { head: 'LAST', numeric: true },
            { head: 'RESTARTS', numeric: true },
          ],
          applications.map((status) => [
            status.application,
            status.state,
            age(status.submittedAt),
            grouped(status.batches),
            grouped(status.records),
            grouped(status.lag),
            status.lastBatchTime === 0 ? '–' : shortDuration(status.lastProcessingMs),
            String(status.restarts),
          ]),
        );
  lines.push('');
  if (executors.length === 0) lines.push('no executors: nothing can run until one is started');
  else {
    lines.push(
      ...textTable(
        [
          { head: 'EXECUTOR' },
          { head: 'HOST' },
          { head: 'PID', numeric: true },
          { head: 'SLOTS', numeric: true },
          { head: 'READY', numeric: true },
          { head: 'BUSY', numeric: true },
          { head: 'MEMORY', numeric: true },
          { head: 'AGE', numeric: true },
        ],
        executors.map((executor) => [
          executor.executorId,
          executor.host,
          String(executor.pid),
          String(executor.slots),
          String(executor.ready),
          String(executor.busy),
          shortBytes(executor.rssBytes),
          age(executor.registeredAt),
        ]),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

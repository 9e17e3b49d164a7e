import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@millrace/common';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import { checkState, type ReadState } from '../state/check-state.ts';
import { directoryStateFiles, type StateFiles } from '../state/state-files.ts';
import { chainOf } from './log-chain.ts';
import { Findings, type LogCheck } from './log-check.ts';
import { directoryLogFiles, type LogFiles } from './log-files.ts';
import { LogReplay } from './log-replay.ts';

/** What a check reads. */
export interface CheckedFiles {
  readonly log: LogFiles;
  readonly state: StateFiles;
  readonly readState: ReadState;
}

/**
 * Checks promises P1 and P2 by what a log says, and nothing else: every batch time was planned once, with one set of ranges that its hash covers; ranges
 * are contiguous from batch to batch, but for logged moves; commits follow their plans, in order, under the epoch that holds the log; the state that
 * commits name is there, whole. What it finds it returns.
 */
export async function checkLog({ log, state: stateFiles, readState }: CheckedFiles): Promise<LogCheck> {
  const findings = new Findings();
  const chain = chainOf(log, findings);
  const replay = new LogReplay(findings);
  for (const segment of chain.segments) {
    try {
      replay.read(segment);
    } catch (error) {
      findings.add(segment.name, `it cannot be understood: ${messageOf(error)}`);
      break;
    }
  }
  const { partitions, firstBatchTime, lastCommitted, pending, counts, states } = replay;
  const state =
    states.size > 0 ? await checkState({ files: stateFiles, read: readState }, states, findings) : undefined;
  return {
    where: log.where,
    findings: findings.list,
    more: findings.more,
    segments: chain.files,
    firstEpoch: chain.firstEpoch,
    lastEpoch: chain.lastEpoch,
    fenced: chain.fenced,
    tornBytes: chain.tornBytes,
    ...counts,
    firstBatchTime,
    lastCommitted,
    pending: pending?.batchTime,
    partitions,
    state,
  };
}

/** The log in a directory, with the keyed state below it. Undefined: there is none. */
export async function checkLogDirectory(directory: string): Promise<LogCheck | undefined> {
  if (!existsSync(directory)) return undefined;
  const state = directoryStateFiles(join(directory, 'state'));
  return again(() =>
    checkLog({
      log: directoryLogFiles(directory),
      state,
      readState: async (...what) => state.read(...what),
    }),
  );
}

/** The log of an application in a checkpoint store. Undefined: there is none. @throws MillraceError when the store cannot be read. */
export function checkStoredLog(application: string, store: CheckpointStore): Promise<LogCheck | undefined> {
  return again(async () =>
    checkLog({
      ...(await store.open(application)),
      readState: (...what) => store.readState(application, ...what),
    }),
  );
}

/** The application may run: what it removes while it is looked for is looked for again. */
async function again(check: () => Promise<LogCheck>): Promise<LogCheck | undefined> {
  const first = await check();
  const found = first.findings.length === 0 ? first : await check();
  return found.segments === 0 ? undefined : found;
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError, silentLogger } from '@millrace/common';
import { ApplicationLog, type LogClaim } from './application-log.ts';
import { applicationLogFiles, type LogFiles } from './log-files.ts';
import { recoverLog } from './log-reader.ts';

const BATCH = { batchTime: 1_000, programHash: 'p', planHash: 'h', intervals: 1 };
const RANGE = { topic: 't', partition: 0, fromOffset: 0, untilOffset: 10, topicId: 'A', leaderEpoch: 1 };

function open(files: LogFiles, claim: LogClaim): ApplicationLog {
  const limits = { segmentBytes: 1 << 20, segmentsRetained: 8 };
  return ApplicationLog.open({ files, logger: silentLogger, ...limits, claim });
}

const goOn = (knownEpoch: number): LogClaim => ({ knownEpoch, anew: false });
const beginAnew = (knownEpoch: number): LogClaim => ({ knownEpoch, anew: true });

function refusalOf(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** Names and contents of all files below a directory. */
function contentsOf(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name), 'latin1'),
    ]),
  );
}

describe('a log of which more is known than its files', () => {
  let directory: string;
  let files: LogFiles;
  let log: string;

  /** A run with one batch. Returns its epoch. */
  function run(claim: LogClaim): number {
    const opened = open(files, claim);
    const from = opened.state.lastCommitted ?? 0;
    opened.plan({
      ...BATCH,
      batchTime: from + 1_000,
      inputs: [{ inputId: 0, ranges: from === 0 ? [RANGE] : [] }],
    });
    opened.commit(from + 1_000, { records: 10, tasks: 1, processingMs: 1 });
    opened.close();
    return opened.epoch;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
    files = applicationLogFiles(directory, 'app');
    log = join(directory, 'app', 'log');
    expect(run(goOn(0))).toBe(1);
    expect(run(goOn(1))).toBe(2);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const losses: readonly (readonly [string, (newest: string) => void])[] = [
    ['was removed', () => rmSync(log, { recursive: true })],
    ['lost its newest file', (newest) => rmSync(newest)],
    ['has an emptied newest file', (newest) => writeFileSync(newest, '')],
    [
      'has only a torn first record in its newest file',
      (newest) => writeFileSync(newest, readFileSync(newest).subarray(0, 30)),
    ],
    [
      'is empty',
      () => {
        for (const name of readdirSync(log)) rmSync(join(log, name));
      },
    ],
  ];
  it.each(losses)('is refused as often as it is tried when it %s, and nothing is written', (_, lose) => {
    lose(join(log, 'epoch-00000002-000001.log'));
    const before = contentsOf(directory);
    for (let times = 0; times < 3; times++) {
      const refusal = refusalOf(() => open(files, goOn(2)));
      expect(refusal).toMatchObject({ code: 'LOG_CORRUPT', details: { before: 2 } });
      expect(refusal.remedy).toContain('--start-anew');
      expect(contentsOf(directory)).toEqual(before);
    }
  });

  it('goes on when only its last record is torn', () => {
    const newest = join(log, 'epoch-00000002-000001.log');
    writeFileSync(newest, readFileSync(newest).subarray(0, -5));
    const opened = open(files, goOn(2));
    expect(opened.epoch).toBe(3);
    expect(opened.state).toMatchObject({ lastCommitted: 1_000, pending: { batchTime: 2_000 } });
    opened.close();
  });

  it('begins anew above all epochs, and keeps the earlier log beside the new one', () => {
    const before = readdirSync(log);
    const opened = open(files, beginAnew(2));
    opened.close();
    expect(opened.epoch).toBe(3);
    expect(opened.state.lastCommitted).toBeUndefined();
    expect(readdirSync(join(directory, 'app')).toSorted()).toEqual(['log', 'log-until-epoch-2']);
    expect(readdirSync(join(directory, 'app', 'log-until-epoch-2'))).toEqual(before);
    expect(recoverLog(files).state.positions.size).toBe(0);
  });

  it('still knows which outputs earlier runs may write to when it begins anew', () => {
    const before = open(files, goOn(2));
    before.output('millrace/app/out', 4);
    before.close();
    open(files, beginAnew(3)).close();
    expect(recoverLog(files).state.outputs).toEqual(new Map([['millrace/app/out', 4]]));
  });

  it('says for ever that it was begun anew, in the place of which outputs may have more', () => {
    expect(recoverLog(files).state.isAnew).toBeUndefined();
    const { id } = recoverLog(files).state;
    open(files, beginAnew(2)).close();
    expect(recoverLog(files).state).toMatchObject({ id, isAnew: true });
    run(goOn(3));
    run(goOn(4));
    expect(recoverLog(files).state).toMatchObject({ id, isAnew: true });
  });

  it('begins anew when it was lost, or is no log', () => {
    rmSync(log, { recursive: true });
    open(files, beginAnew(2)).close();
    expect(recoverLog(files).epoch).toBe(3);
    rmSync(log, { recursive: true });
    writeFileSync(log, 'a file');
    expect(refusalOf(() => open(files, beginAnew(3)))).toMatchObject({
      code: 'LOG_CORRUPT',
      details: { directory: log },
    });
  });

  it('begins anew once, wherever the start that was to do so died', () => {
    // Between setting aside and the first write; while it wrote the first file.
    files.setAside('until-epoch-2');
    expect(run(beginAnew(2))).toBe(3);
    writeFileSync(join(log, 'epoch-00000004-000001.log.tmp'), 'torn');
    // After it, before anybody was told: what it has done since counts.
    expect(run(beginAnew(2))).toBe(4);
    expect(recoverLog(files).state.lastCommitted).toBe(2_000);
    expect(readdirSync(join(directory, 'app')).toSorted()).toEqual(['log', 'log-until-epoch-2']);
  });

  it('keeps all logs that were set aside', () => {
    open(files, beginAnew(2)).close();
    rmSync(log, { recursive: true });
    open(files, goOn(0)).close();
    open(files, goOn(1)).close();
    open(files, beginAnew(2)).close();
    expect(readdirSync(join(directory, 'app')).toSorted()).toEqual([
      'log',
      'log-until-epoch-2',
      'log-until-epoch-2-2',
    ]);
  });
});

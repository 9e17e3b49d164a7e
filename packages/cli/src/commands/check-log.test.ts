import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { planHashOf } from '../../../driver/src/application/batch/plan-hash.ts';
import type { LogRecord } from '../../../driver/src/application/log/log-record.ts';
import { encodeRecord } from '../../../driver/src/application/log/record-codec.ts';
import { runCaptured } from '../testing/captured-run.ts';

let cwd: string;
let log: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-check-log-'));
  log = join(cwd, '.millrace/driver/applications/views/log');
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...argv: readonly string[]) => runCaptured(['check-log', ...argv], { cwd });

const ANCHOR: LogRecord = {
  kind: 'anchor',
  epoch: 1,
  fence: undefined,
  lastCommitted: undefined,
  positions: [],
  pending: undefined,
};
const COMMITTED: LogRecord = {
  kind: 'committed',
  epoch: 1,
  batchTime: 1_000,
  metrics: { records: 5, tasks: 1, processingMs: 2 },
};

function planned(batchTime: number, fromOffset: number, untilOffset: number, planHash?: string): LogRecord {
  const range = { topic: 'clicks', partition: 3, fromOffset, untilOffset, topicId: 'AAAA', leaderEpoch: 0 };
  const inputs = [{ inputId: 0, ranges: [range] }];
  return {
    kind: 'planned',
    epoch: 1,
    batchTime,
    programHash: 'p',
    planHash: planHash ?? planHashOf({ programHash: 'p' }, inputs),
    intervals: 1,
    inputs,
  };
}

function write(...records: readonly LogRecord[]): void {
  mkdirSync(log, { recursive: true });
  writeFileSync(join(log, 'epoch-00000001-000001.log'), Buffer.concat(records.map(encodeRecord)));
}

it('prints what it checked, of an application or of a directory', async () => {
  write(ANCHOR, planned(1_000, 7, 12), COMMITTED);
  const { exitCode, out } = await run('views');
  expect(out.split('\n')).toEqual([
    log,
    '1 segments · epoch 1 · 3 records',
    '1 batches committed (1970-01-01T00:00:01.000Z)',
    'INPUT  TOPIC   PARTITION  FROM  UNTIL  READ  SKIPPED  AGAIN',
    '    0  clicks          3     7     12     5        0      0',
    '✓ each offset is in one committed range or one logged move; each batch time has one set of ranges',
    '',
  ]);
  expect(exitCode).toBe(0);
  expect(await run('--dir', log)).toEqual({ exitCode, out, err: '' });
  expect(await run('views', '--state-dir', join(cwd, '.millrace/driver'))).toEqual({
    exitCode,
    out,
    err: '',
  });
});

it('prints one JSON document in which what is not known is null', async () => {
  write(ANCHOR);
  const { exitCode, out } = await run('views', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    version: 1,
    ok: true,
    findings: [],
    records: 1,
    lastCommitted: null,
    pending: null,
    state: null,
  });
});

it('says what is wrong, where, and ends with a code of its own', async () => {
  write(ANCHOR, planned(1_000, 7, 12), COMMITTED, planned(2_000, 13, 14, 'x'));
  const { exitCode, out } = await run('views');
  expect(exitCode).toBe(7);
  const at = readFileSync(join(log, 'epoch-00000001-000001.log')).lastIndexOf('\n', -2) + 1;
  const where = `  epoch-00000001-000001.log at byte ${at}: `;
  expect(out.split('\n').slice(-4)).toEqual([
    '✗ 2 things are wrong',
    `${where}the hash of batch 1970-01-01T00:00:02.000Z is not that of its program and ranges`,
    `${where}batch 1970-01-01T00:00:02.000Z reads clicks-3 from 13, not from 12, where it stands`,
    '',
  ]);
  expect(JSON.parse((await run('views', '--json')).out)).toMatchObject({ ok: false, findings: [{}, {}] });
});

it.each([
  [['nobody'], 6, 'there is no log of nobody'],
  [[], 2, 'give an application or --dir'],
  [['views', '--dir', '/tmp'], 2, 'give an application or --dir'],
])('refuses %p', async (argv, code, why) => {
  const { exitCode, err } = await run(...argv);
  expect([exitCode, err]).toEqual([code, expect.stringContaining(why)]);
});

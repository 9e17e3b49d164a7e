import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { type OffsetLog, readOffsetLog, verdictOfLog } from './offset-log-checker.ts';

/** [batch time, [partition, from, until], …] */
type Planned = readonly [number, ...(readonly [number, number, number])[]];

const log = (planned: readonly Planned[], committed: readonly number[]): OffsetLog => ({
  planned: planned.map(([batchTime, ...ranges]) => ({
    batchTime,
    ranges: ranges.map(([partition, fromOffset, untilOffset]) => ({ partition, fromOffset, untilOffset })),
  })),
  committed,
});

const PRODUCED = new Map([
  [0, 10],
  [1, 5],
]);
const FIRST: Planned = [100, [0, 0, 4], [1, 0, 5]];
const SECOND: Planned = [200, [0, 4, 10], [1, 5, 5]];

it.each<[string, OffsetLog]>([
  ['contiguous', log([FIRST, SECOND], [100, 200])],
  ['planned again as it was', log([FIRST, FIRST, SECOND], [100, 200])],
  ['in another order of its files', log([SECOND, FIRST], [200, 100])],
])('the checker of the offset log says OK when it is %s', (_, sound) => {
  expect(verdictOfLog(sound, PRODUCED)).toBe('OK');
});

it.each<[string, OffsetLog, string]>([
  ['a gap', log([FIRST, [200, [0, 5, 10], [1, 5, 5]]], [100, 200]), 'reads 0 from 5, not from 4'],
  ['an overlap', log([FIRST, [200, [0, 3, 10], [1, 5, 5]]], [100, 200]), 'reads 0 from 3, not from 4'],
  ['an end too early', log([FIRST], [100]), 'partition 0 was read until 4 of 10'],
  [
    'two sets of ranges for a time',
    log([FIRST, [100, [0, 0, 5], [1, 0, 5]], SECOND], [100, 200]),
    'two sets of ranges',
  ],
  ['two commits of a batch', log([FIRST, SECOND], [100, 200, 200]), 'committed twice'],
  ['a batch without its commit', log([FIRST, SECOND], [100]), 'batch 200 was planned and never committed'],
  [
    'a partition that nobody produced to',
    log([[100, [7, 0, 1]], FIRST, SECOND], [100, 200]),
    'reads 7 from 0',
  ],
])('the checker of the offset log finds %s', (_, broken, finding) => {
  expect(verdictOfLog(broken, PRODUCED)).toContain(finding);
});

const line = (record: object): string => `00000000 00000000 ${JSON.stringify(record)}\n`;
const PLANNED = line({ kind: 'planned', batchTime: 100, inputs: [{ topics: [{ parts: [[0, 0, 4, 1]] }] }] });
const COMMITTED = line({ kind: 'committed', batchTime: 100 });

/** What is read of these files: by epoch and segment. */
function read(files: Readonly<Record<string, string>>): OffsetLog {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  try {
    for (const [place, text] of Object.entries(files)) {
      const [epoch = '', segment = ''] = place.split('/');
      writeFileSync(join(directory, `epoch-${epoch.padStart(8, '0')}-${segment.padStart(6, '0')}.log`), text);
    }
    return readOffsetLog(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

it('reads every file of a log but torn last lines', () => {
  const files = { '1/1': line({ kind: 'anchor' }) + PLANNED, '1/2': `${COMMITTED}00000000 {"ki` };
  expect(read(files)).toEqual(log([[100, [0, 0, 4]]], [100]));
});

it('leaves out what a fenced process wrote: behind the fence, and to files after it', () => {
  const before = line({ kind: 'anchor' }) + PLANNED;
  const fence = { epoch: 1, segment: 1, bytes: Buffer.byteLength(before) };
  const after = line({ kind: 'anchor', fence }) + COMMITTED;
  expect(read({ '1/1': before + COMMITTED, '1/2': COMMITTED, '2/1': after })).toEqual(
    log([[100, [0, 0, 4]]], [100]),
  );
  const twice = line({ kind: 'anchor', fence: { ...fence, bytes: fence.bytes + COMMITTED.length } });
  expect(read({ '1/1': before + COMMITTED, '2/1': twice + COMMITTED }).committed).toEqual([100, 100]);
});

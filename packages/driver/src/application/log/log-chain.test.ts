import { describe, expect, it } from '@jest/globals';
import { batch, checkLog, openLog, rewritten, run, told } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import type { LogRecord } from './log-record.ts';

function cut(files: MemoryLogFiles, name: string, bytes: number): void {
  files.contents.set(name, files.read(name).slice(0, -bytes));
}

/** The newest anchor with other fields. */
function anchored(
  files: MemoryLogFiles,
  change: (anchor: LogRecord & { readonly kind: 'anchor' }) => object,
): void {
  const name = files.list().toSorted().at(-1) as string;
  rewritten(
    files,
    ([anchor, ...others]) => {
      if (anchor?.kind !== 'anchor') throw new Error('no anchor');
      return [{ ...anchor, ...change(anchor) }, ...others];
    },
    name,
  );
}

function fenced(files: MemoryLogFiles, change: object | undefined): void {
  anchored(files, ({ fence }) => ({ fence: change && { ...fence, ...change } }));
}

function only(files: MemoryLogFiles): void {
  files.contents.clear();
  files.create('epoch-00000007-000001.log');
}

describe('the check of a chain of segments', () => {
  it.each<[string, (files: MemoryLogFiles) => void, string]>([
    [
      'a segment that is missing',
      (files) => files.remove('epoch-00000002-000002.log'),
      'which is missing, though older segments',
    ],
    [
      'a segment that lost its end',
      (files) => cut(files, 'epoch-00000002-000001.log', 100),
      'where epoch-00000002-000002.log goes on',
    ],
    ['a fence within a record', (files) => fenced(files, { bytes: 900 }), 'is within a record'],
    ['a fence in the future', (files) => fenced(files, { epoch: 9 }), 'which cannot be before it'],
    ['a log that begins again', (files) => fenced(files, undefined), 'it begins a log of its own'],
    [
      'a rotated segment that was written to',
      (files) =>
        files.contents.set(
          'epoch-00000002-000001.log',
          Buffer.concat([files.read('epoch-00000002-000001.log'), Buffer.from('0000')]),
        ),
      'after it had been rotated',
    ],
    [
      'a rotated segment that is empty',
      (files) => files.contents.set('epoch-00000002-000003.log', new Uint8Array()),
      'it has no anchor',
    ],
    ['only empty segments', (files) => only(files), 'no segment has an anchor'],
    [
      'an anchor with another position',
      (files) =>
        anchored(files, ({ positions }) => ({
          positions: positions.map((each) => ({
            ...each,
            at: each.at.map((at) => ({ ...at, offset: at.offset + 1 })),
          })),
        })),
      'something else of vüews-0',
    ],
    [
      'an anchor without a partition',
      (files) =>
        anchored(files, ({ positions }) => ({
          positions: positions.map((each) => ({ ...each, at: each.at.slice(1) })),
        })),
      'something else of vüews-0',
    ],
    [
      'an anchor with another batch',
      (files) => anchored(files, () => ({ lastCommitted: 1 })),
      'something else of the last committed batch',
    ],
    [
      'an anchor without the planned batch',
      (files) => anchored(files, () => ({ pending: { ...batch(99), epoch: 1 } })),
      'something else of the planned batch',
    ],
    [
      'an anchor without the outputs',
      (files) => anchored(files, () => ({ outputs: new Map([['x', 1]]) })),
      'something else of exactly-once outputs',
    ],
    [
      'an anchor with other state',
      (files) =>
        anchored(files, () => ({
          state: new Map([
            ['x', { batchTime: 1, shape: 's', layout: 'l', partitions: 0, valueVersion: 0, heads: [] }],
          ]),
        })),
      'something else of keyed state',
    ],
    [
      'a history that was otherwise',
      (files) =>
        anchored(files, ({ history }) => ({
          history: { keepMs: 1, batches: (history?.batches ?? []).map((each) => ({ ...each, inputs: [] })) },
        })),
      'has two sets of ranges',
    ],
  ])('finds, between segments, %s', async (_, break_, finding) => {
    const files = new MemoryLogFiles();
    run(openLog(files, 700, 5_000), 0, 10);
    run(openLog(files, 700, 5_000), 10, 20);
    expect(told(await checkLog(files))).toBe('');
    break_(files);
    expect(told(await checkLog(files))).toContain(finding);
  });
});

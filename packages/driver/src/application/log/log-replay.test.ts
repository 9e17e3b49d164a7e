import { describe, expect, it } from '@jest/globals';
import { planHashOf } from '../batch/plan-hash.ts';
import { checkLog, FIRST_SEGMENT, METRICS, rewritten, sound, told } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import type { LogRecord } from './log-record.ts';

/** The n-th record, from 0, with other fields. Plans keep a hash that fits. */
function altered(at: number, change: (record: LogRecord) => object): MemoryLogFiles {
  return rewritten(sound(), (records) =>
    records.map((record, index) => {
      if (index !== at) return record;
      const other = { ...record, ...change(record) } as LogRecord;
      return other.kind === 'planned' && !('planHash' in change(record))
        ? { ...other, planHash: planHashOf(other, other.inputs) }
        : other;
    }),
  );
}

const range = (record: LogRecord, change: object, partition = 1): object => {
  if (record.kind !== 'planned') throw new Error('no plan');
  const inputs = record.inputs.map(({ inputId, ranges }) => ({
    inputId,
    ranges: ranges.map((each) => (each.partition === partition ? { ...each, ...change } : each)),
  }));
  return { inputs };
};

/** The sound log, and a move of partition 0. */
function moved(change: object, abandons: number | undefined = 4_000): MemoryLogFiles {
  const move = {
    topic: 'vüews',
    partition: 0,
    from: 30,
    offset: 35,
    topicId: 'AAAA',
    leaderEpoch: 0,
    ...change,
  };
  const record: LogRecord = {
    kind: 'moved',
    epoch: 1,
    at: 1,
    reason: 'data-loss',
    abandons: 'from' in change || 'offset' in change ? abandons : undefined,
    inputs: [{ inputId: 0, moves: [move] }],
  };
  return rewritten(sound(), (records) => [...records, record]);
}

// anchor · planned 0 · committed 0 · planned 1 · committed 1 · planned 2 · committed 2 · output · planned 3
const BATCH_1 = 'batch 1970-01-01T00:00:02.000Z';

describe('the check of plans and commits', () => {
  it.each<[string, () => MemoryLogFiles, string]>([
    [
      'a gap',
      () => altered(3, (r) => range(r, { fromOffset: 15 })),
      `${BATCH_1} reads vüews-1 from 15, not from 10`,
    ],
    ['an overlap', () => altered(3, (r) => range(r, { fromOffset: 9 })), 'reads vüews-1 from 9, not from 10'],
    ['an end too early', () => altered(3, (r) => range(r, { untilOffset: 19 })), 'from 20, not from 19'],
    ['a range backwards', () => altered(3, (r) => range(r, { untilOffset: 5 })), 'from 10 until 5'],
    ['half an offset', () => altered(3, (r) => range(r, { fromOffset: 10.5 })), 'from 10.5 until 20'],
    ['a partition twice', () => altered(3, (r) => range(r, { partition: 0 })), 'has two ranges of vüews-0'],
    [
      'a recreated topic',
      () => altered(3, (r) => range(r, { topicId: 'BBBB' })),
      'another topic of that name',
    ],
    [
      'other ranges than its hash says',
      () => altered(3, () => ({ planHash: 'h' })),
      'is not that of its program',
    ],
    [
      'another program than its hash says',
      () => altered(3, (r) => ({ programHash: 'q', planHash: Reflect.get(r, 'planHash') })),
      'is not that of its program',
    ],
    ['no interval', () => altered(3, () => ({ intervals: 0 })), 'covers 0 intervals'],
    [
      'a batch time again',
      () => altered(3, () => ({ batchTime: 1_000 })),
      'batch 1970-01-01T00:00:01.000Z has two sets of ranges',
    ],
    [
      'a batch time that goes back',
      () => altered(3, () => ({ batchTime: 500 })),
      'is planned after batch 1970-01-01T00:00:01.000Z was committed',
    ],
    [
      'a commit of another batch',
      () => altered(4, () => ({ batchTime: 2_001 })),
      `and ${BATCH_1} was planned`,
    ],
    [
      'metrics that are no counts',
      () => altered(4, () => ({ metrics: { ...METRICS, tasks: -1 } })),
      'are no counts',
    ],
    [
      'a record of another epoch',
      () => altered(4, () => ({ epoch: 2 })),
      'a record of epoch 2 is in a segment of epoch 1',
    ],
    [
      'an output that shrinks',
      () =>
        rewritten(sound(), (all) => [
          ...all,
          { kind: 'output', epoch: 1, prefix: 'millrace/a/out', tasks: 1 },
        ]),
      'has 1 tasks after 2',
    ],
    ['a plan that is missing', () => rewritten(sound(), (all) => all.toSpliced(3, 1)), 'none was planned'],
    [
      'a commit that is missing',
      () => rewritten(sound(), (all) => all.toSpliced(4, 1)),
      `is planned before ${BATCH_1} was committed`,
    ],
    [
      'a batch that is missing',
      () => rewritten(sound(), (all) => all.toSpliced(3, 2)),
      'reads vüews-0 from 20, not from 10',
    ],
    [
      'a plan twice',
      () => rewritten(sound(), (all) => all.toSpliced(3, 0, all[3] as LogRecord)),
      `is planned before ${BATCH_1}`,
    ],
    [
      'a commit twice',
      () => rewritten(sound(), (all) => all.toSpliced(4, 0, all[4] as LogRecord)),
      'none was planned',
    ],
    [
      'a plan of a committed batch',
      () => rewritten(sound(), (all) => [...all.slice(0, 7), all[5] as LogRecord]),
      'is planned after',
    ],
    [
      'an anchor in the middle',
      () => rewritten(sound(), (all) => [...all, all[0] as LogRecord]),
      'anchors are where segments begin',
    ],
    ['no anchor', () => rewritten(sound(), (all) => all.slice(1)), 'it does not begin with an anchor'],
    [
      'an anchor that goes on from nowhere',
      () => altered(0, () => ({ lastCommitted: 7 })),
      'does not say behind what',
    ],
    [
      'a move of what stands elsewhere',
      () => moved({ from: 29 }),
      'vüews-0 is moved from 29, and stands at 30',
    ],
    ['a loss of records that goes back', () => moved({ offset: 20 }), 'as if records had been lost'],
    ['a batch given up that was not planned', () => moved({}, undefined), 'no batch is given up'],
  ])('finds %s', async (_, broken, finding) => {
    expect(told(await checkLog(broken()))).toContain(finding);
  });

  it('finds every flipped byte', async () => {
    const content = sound().read(FIRST_SEGMENT);
    const unnoticed: number[] = [];
    for (let at = 0; at < content.length - 1; at++) {
      const files = new MemoryLogFiles();
      const flipped = Uint8Array.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      files.contents.set(FIRST_SEGMENT, flipped);
      if ((await checkLog(files)).findings.length === 0) unnoticed.push(at);
    }
    expect(unnoticed).toEqual([]);
  });
});

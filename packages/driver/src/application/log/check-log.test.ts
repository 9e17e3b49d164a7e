import { describe, expect, it } from '@jest/globals';
import type { StateHead } from '@millrace/api/internal';
import { silentLogger } from '@millrace/common';
import { encodeStateSection } from '@millrace/proto/task';
import { crc32c } from '@node-rs/crc32';
import { planHashOf } from '../batch/plan-hash.ts';
import type { StateChanges } from '../state/logged-state.ts';
import { stateFileName } from '../state/state-files.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { MemoryStateFiles } from '../testing/memory-state-files.ts';
import { ApplicationLog } from './application-log.ts';
import { checkLog as checkFiles } from './check-log.ts';
import type { LogCheck } from './log-check.ts';
import type { LoggedInput, LogRecord, OffsetMoves, PlannedBatch } from './log-record.ts';
import { decodeSegment, encodeRecord } from './record-codec.ts';

const METRICS = { records: 20, tasks: 2, processingMs: 1.5 };
const FIRST = 'epoch-00000001-000001.log';

function open(files: MemoryLogFiles, segmentBytes = 1 << 20, historyMs = 0): ApplicationLog {
  return ApplicationLog.open({
    files,
    logger: silentLogger,
    segmentBytes,
    segmentsRetained: 1000,
    historyMs,
  });
}

function planOfRanges(batchTime: number, inputs: readonly LoggedInput[]): Omit<PlannedBatch, 'epoch'> {
  return { batchTime, programHash: 'p', planHash: planHashOf('p', inputs), intervals: 1, inputs };
}

/** Batch n reads [10n, 10n + 10) of two partitions. */
function batch(n: number, by = 0): Omit<PlannedBatch, 'epoch'> {
  const fromOffset = 10 * n + by;
  const range = { topic: 'vüews', fromOffset, untilOffset: fromOffset + 10, topicId: 'AAAA', leaderEpoch: 2 };
  const ranges = [
    { ...range, partition: 0 },
    { ...range, partition: 1 },
  ];
  return planOfRanges(1_000 * (n + 1), [{ inputId: 0, ranges }]);
}

function run(log: ApplicationLog, from: number, until: number, by = 0): void {
  for (let n = from; n < until; n++) {
    log.plan(batch(n, by));
    log.commit(batch(n).batchTime, METRICS);
  }
}

function checkLog(log: MemoryLogFiles, state = new MemoryStateFiles()): Promise<LogCheck> {
  return checkFiles({ log, state, readState: async (...what) => state.read(...what) });
}

const told = ({ findings }: LogCheck): string =>
  findings.map(({ where, what }) => `${where}: ${what}`).join('\n');

/** Three committed batches, and a planned one. */
function sound(): MemoryLogFiles {
  const files = new MemoryLogFiles();
  const log = open(files);
  run(log, 0, 3);
  log.output('millrace/a/out', 2);
  log.plan(batch(3));
  return files;
}

/** The segment with other records. */
function rewritten(
  files: MemoryLogFiles,
  change: (records: LogRecord[]) => readonly LogRecord[],
  name = FIRST,
): MemoryLogFiles {
  const records = decodeSegment(files.read(name), name).records.map(({ record }) => record);
  files.contents.set(name, Buffer.concat(change(records).map((record) => encodeRecord(record))));
  return files;
}

/** The n-th record, from 0, with other fields. Plans keep a hash that fits. */
function altered(at: number, change: (record: LogRecord) => object): MemoryLogFiles {
  return rewritten(sound(), (records) =>
    records.map((record, index) => {
      if (index !== at) return record;
      const other = { ...record, ...change(record) } as LogRecord;
      return other.kind === 'planned' && !('planHash' in change(record))
        ? { ...other, planHash: planHashOf(other.programHash, other.inputs) }
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

// anchor · planned 0 · committed 0 · planned 1 · committed 1 · planned 2 · committed 2 · output · planned 3
const BATCH_1 = 'batch 1970-01-01T00:00:02.000Z';

describe('the check of a log', () => {
  it('says what a sound log holds', async () => {
    const files = sound();
    const log = open(files);
    log.commit(4_000, METRICS);
    expect(await checkLog(files)).toMatchObject({
      findings: [],
      segments: 2,
      firstEpoch: 1,
      lastEpoch: 2,
      fenced: 0,
      tornBytes: 0,
      records: 11,
      planned: 4,
      committed: 4,
      resumed: 1,
      firstBatchTime: 1_000,
      lastCommitted: 4_000,
      pending: undefined,
      partitions: [0, 1].map((partition) => ({
        input: 0,
        topic: 'vüews',
        partition,
        from: 0,
        until: 40,
        read: 40,
        skipped: { request: 0, 'data-loss': 0 },
        repeated: 0,
      })),
    });
    expect(await checkLog(sound())).toMatchObject({ findings: [], pending: 4_000, lastCommitted: 3_000 });
    expect(await checkLog(new MemoryLogFiles())).toMatchObject({ findings: [], segments: 0 });
  });

  it('follows rotations, restarts, history and retention', async () => {
    const files = new MemoryLogFiles();
    for (let start = 0; start < 5; start++) run(open(files, 1_000, 3_000), start * 20, start * 20 + 20);
    expect(told(await checkLog(files))).toBe('');
    expect(files.contents.size).toBeGreaterThan(10);
    for (const name of files.list().toSorted().slice(0, 5)) files.remove(name);
    const check = await checkLog(files);
    expect(told(check)).toBe('');
    expect(check.partitions[0]).toMatchObject({ until: 1_000 });
    expect(check.partitions[0]?.from).toBeGreaterThan(0);
  });

  it('counts what moves skipped and what they go back over, and takes a batch that was given up', async () => {
    const files = sound();
    const log = open(files);
    const moves = (by: number): OffsetMoves['inputs'] => [
      {
        inputId: 0,
        moves: [0, 1].map((partition) => ({
          topic: 'vüews',
          partition,
          from: 30,
          offset: 30 + by * (partition + 1),
          topicId: 'BBBB',
          leaderEpoch: 0,
        })),
      },
    ];
    log.move({ at: 1, reason: 'request', abandons: 4_000, inputs: moves(-5) });
    const back = await checkLog(files);
    expect(told(back)).toBe('');
    expect(back).toMatchObject({ givenUp: 1, moves: 1, lastCommitted: 4_000, pending: undefined });
    expect(back.partitions.map(({ repeated, until }) => [repeated, until])).toEqual([
      [5, 25],
      [10, 20],
    ]);
    const ranges = [25, 20].map((fromOffset, partition) => ({
      topic: 'vüews',
      partition,
      fromOffset,
      untilOffset: 50,
      topicId: 'BBBB',
      leaderEpoch: 0,
    }));
    log.plan(planOfRanges(5_000, [{ inputId: 0, ranges }]));
    log.commit(5_000, METRICS);
    expect(told(await checkLog(files))).toBe('');
  });

  it('leaves out what a fenced epoch wrote behind its fence point, and a torn tail, and counts them', async () => {
    const files = new MemoryLogFiles();
    const zombie = open(files);
    run(zombie, 0, 2);
    let successor: ApplicationLog | undefined;
    files.fault = () => {
      files.fault = undefined;
      successor = open(files);
    };
    expect(() => zombie.plan(batch(2))).toThrow(/overtaken/);
    run(successor as ApplicationLog, 2, 4);
    const name = 'epoch-00000002-000001.log';
    files.contents.set(name, files.read(name).slice(0, -7));
    files.create('epoch-00000003-000001.log');
    const check = await checkLog(files);
    expect(told(check)).toBe('');
    expect(check).toMatchObject({ fenced: 1, lastEpoch: 3, segments: 3, committed: 3, pending: 4_000 });
    expect(check.tornBytes).toBeGreaterThan(50);
  });

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
    run(open(files, 700, 5_000), 0, 10);
    run(open(files, 700, 5_000), 10, 20);
    expect(told(await checkLog(files))).toBe('');
    break_(files);
    expect(told(await checkLog(files))).toContain(finding);
  });

  it('finds every flipped byte', async () => {
    const content = sound().read(FIRST);
    const unnoticed: number[] = [];
    for (let at = 0; at < content.length - 1; at++) {
      const files = new MemoryLogFiles();
      const flipped = Uint8Array.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      files.contents.set(FIRST, flipped);
      if ((await checkLog(files)).findings.length === 0) unnoticed.push(at);
    }
    expect(unnoticed).toEqual([]);
  });
});

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

const OPERATOR = 'totals';

/** A log whose last batch keeps state of two partitions: a snapshot each, and a delta on that of partition 1. */
function stateful() {
  const logFiles = new MemoryLogFiles();
  const files = new MemoryStateFiles();
  const log = open(logFiles);
  const heads = new Map<number, StateHead>();
  for (const [n, partitions] of [[0, 1], [1]].entries()) {
    const { batchTime } = batch(n);
    const file = stateFileName(1, batchTime);
    const made = files.create(file);
    let offset = 0;
    for (const partition of partitions) {
      const version = `v${batchTime}-${partition}`;
      const previous = heads.get(partition);
      const section = encodeStateSection(
        {
          application: 'a',
          operator: OPERATOR,
          partition,
          layout: 'hash/2',
          valueVersion: 0,
          kind: previous ? 'delta' : 'snapshot',
          version,
          ...(previous && { previous }),
          epoch: 1,
          batchTime,
          keys: 3,
          changed: 3,
          removed: 0,
        },
        [block('first'), block('second')],
      );
      made.append(section);
      heads.set(partition, { file, offset, bytes: section.length, version, keys: 3 });
      offset += section.length;
    }
    log.plan(batch(n));
    log.commit(batchTime, METRICS, {
      dropped: [],
      operators: [
        {
          name: OPERATOR,
          shape: 'keyed',
          layout: 'hash/2',
          partitions: 2,
          valueVersion: 0,
          whole: n === 0,
          heads: partitions.map((partition) => ({ partition, head: heads.get(partition) as StateHead })),
        },
      ],
    });
  }
  const names = files.list() as [string, string];
  return { logFiles, files, names };
}

/** As executors write them: see executor/src/shuffle/column-block.ts. */
function block(text: string): Buffer {
  const bytes = Buffer.alloc(24 + 16, 0);
  bytes.write(text, 24);
  bytes.writeUInt32LE(0x4d52_4231, 0);
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt32LE(crc32c(bytes.subarray(8)), 4);
  return bytes;
}

describe('the check of keyed state', () => {
  it('says what there is', async () => {
    const { logFiles, files } = stateful();
    files.create('00000001-9000.state');
    const { findings, state } = await checkLog(logFiles, files);
    expect(findings).toEqual([]);
    expect(state).toMatchObject({ operators: 1, files: 2, sections: 3, keys: 6, unnamed: 1 });
  });

  it('finds every flipped byte of every section, every length, and files that are gone', async () => {
    const { logFiles, files, names } = stateful();
    const unnoticed: string[] = [];
    const look = async (what: string, content: Uint8Array | undefined, name: string): Promise<void> => {
      const whole = files.contents.get(name) as Uint8Array;
      if (content) files.contents.set(name, content);
      else files.remove(name);
      if ((await checkLog(logFiles, files)).findings.length === 0) unnoticed.push(`${name} ${what}`);
      files.contents.set(name, whole);
    };
    for (const name of names) {
      const whole = files.contents.get(name) as Uint8Array;
      await look('gone', undefined, name);
      for (let at = 0; at < whole.length; at += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ 0x10;
        await look(`flipped at ${at}`, flipped, name);
      }
      for (let length = 0; length < whole.length; length += 13)
        await look(`cut at ${length}`, whole.slice(0, length), name);
    }
    expect(unnoticed).toEqual([]);
  });

  it.each<[string, (change: StateChanges['operators'][number]) => object, string]>([
    [
      'a head of another file',
      ({ heads: [head] }) => ({
        heads: [{ partition: 1, head: { ...head?.head, file: stateFileName(1, 7) } }],
      }),
      'and wrote 00000001-2000.state',
    ],
    [
      'a head of another version',
      ({ heads: [head] }) => ({ heads: [{ partition: 1, head: { ...head?.head, version: 'w' } }] }),
      'not w',
    ],
    [
      'a head of another partition',
      ({ heads: [head] }) => ({ heads: [{ partition: 0, head: head?.head }] }),
      'keys of partition 1, not 3 of 0',
    ],
    [
      'a head with other keys',
      ({ heads: [head] }) => ({ heads: [{ partition: 1, head: { ...head?.head, keys: 4 } }] }),
      'it has 3 keys of partition 1, not 4',
    ],
    [
      'a partition that there is not',
      ({ heads: [head] }) => ({ heads: [{ partition: 2, head: head?.head }] }),
      'has state of partition 2',
    ],
    ['another operator', () => ({ name: 'other', whole: true }), 'not v2000-1'],
  ])('finds %s', async (_, change, finding) => {
    const { logFiles, files } = stateful();
    rewritten(logFiles, (records) =>
      records.map((record) => {
        if (record.kind !== 'committed' || record.batchTime !== 2_000 || !record.state) return record;
        const operators = record.state.operators.map((each) => ({ ...each, ...change(each) }));
        return { ...record, state: { ...record.state, operators } };
      }),
    );
    expect(told(await checkLog(logFiles, files))).toContain(finding);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { errorToWire, type OffsetsReportInit, type OffsetsRequestInit } from '@millrace/proto';
import { runCaptured } from '../testing/captured-run.ts';
import { type FakeDriver, type FakeDriverScript, startFakeDriver } from '../testing/fake-driver.ts';

let driver: FakeDriver | undefined;
afterEach(async () => {
  await driver?.close();
  driver = undefined;
});

async function run(script: FakeDriverScript, argv: readonly string[]) {
  driver = await startFakeDriver(script);
  return runCaptured(argv, { env: { MILLRACE_DRIVER: driver.address }, cwd: '/' });
}

const REPORT: OffsetsReportInit = {
  application: 'views',
  epoch: 3,
  lastBatchTime: Date.parse('2026-11-21T10:00:00Z'),
  partitions: [
    { input: 0, topic: 'orders', partition: 0, position: 120, earliest: 100, latest: 150 },
    { input: 0, topic: 'orders', partition: 1, position: 0, earliest: 0, latest: 0 },
    { input: 0, topic: 'orders', partition: 2, earliest: 5, latest: 9 },
  ],
};

/** A driver that answers with a report, and what it was asked. */
function answering(report: OffsetsReportInit) {
  const asked: OffsetsRequestInit[] = [];
  const offsets: FakeDriverScript['offsets'] = (request) => {
    asked.push(request);
    return { report };
  };
  return { asked, script: { offsets } };
}

describe('offsets show', () => {
  it('prints positions, and with --ends what Kafka has, also of position 0 and of none', async () => {
    const { asked, script } = answering(REPORT);
    const { exitCode, out } = await run(script, ['offsets', 'show', 'views', '--ends']);
    expect(exitCode).toBe(0);
    expect(out.split('\n')).toEqual([
      'views · epoch 3 · last batch 2026-11-21T10:00:00.000Z',
      'INPUT  TOPIC   PARTITION  POSITION  EARLIEST  LATEST  LAG',
      '    0  orders          0       120       100     150   30',
      '    0  orders          1         0         0       0    0',
      '    0  orders          2         –         5       9    –',
      '',
    ]);
    expect(asked).toMatchObject([{ application: 'views', ends: true, execute: false, change: null }]);
  });

  it('prints one JSON document in which what is not known is null', async () => {
    const { out } = await run(answering(REPORT).script, ['offsets', 'show', 'views', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      application: 'views',
      pendingBatchTime: null,
      partitions: [{ position: 120 }, { position: 0 }, { position: null, target: null }],
    });
  });

  it('shows what is planned and not committed, also of a first run', async () => {
    const planned = { from: 100, until: 150 };
    const report = {
      application: 'views',
      epoch: 1,
      pendingBatchTime: Date.parse('2026-11-21T10:00:01Z'),
      partitions: [
        { input: 0, topic: 'orders', partition: 0, planned },
        { input: 0, topic: 'orders', partition: 1, planned: { from: 0, until: 0 } },
        { input: 0, topic: 'orders', partition: 2, position: 7 },
      ],
    };
    const { out } = await run(answering(report).script, ['offsets', 'show', 'views']);
    expect(out.split('\n')).toEqual([
      'views · epoch 1 · no batch yet · planned and not committed: 2026-11-21T10:00:01.000Z',
      'INPUT  TOPIC   PARTITION  POSITION  PLANNED',
      '    0  orders          0         –  [100, 150)',
      '    0  orders          1         –  [0, 0)',
      '    0  orders          2         7  –',
      '',
    ]);
    await driver?.close();
    const json = await run(answering(report).script, ['offsets', 'show', 'views', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      partitions: [{ position: null, planned }, { planned: { from: 0, until: 0 } }, { planned: null }],
    });
  });

  it('ends in 6 for an application that nobody knows', async () => {
    expect((await run({}, ['offsets', 'show', 'nobody'])).exitCode).toBe(6);
  });
});

describe('offsets set and reset', () => {
  const MOVED = {
    ...REPORT,
    pendingBatchTime: Date.parse('2026-11-21T10:00:01Z'),
    partitions: [
      { input: 0, topic: 'orders', partition: 0, position: 120, earliest: 100, latest: 150, target: 150 },
      { input: 0, topic: 'orders', partition: 1, position: 20, earliest: 0, latest: 20, target: 0 },
      { input: 0, topic: 'orders', partition: 2, earliest: 5, latest: 9, target: 9 },
      { input: 0, topic: 'orders', partition: 3, position: 1, earliest: 0, latest: 9 },
    ],
    notes: ['batch … is given up'],
  };

  it('are a dry run unless they are told to execute, and say what would be', async () => {
    const { asked, script } = answering(MOVED);
    const { out, err } = await run(script, ['offsets', 'reset', 'views', '--to-latest']);
    expect(out.split('\n').slice(1)).toEqual([
      'INPUT  TOPIC   PARTITION  POSITION  WOULD BE  CHANGE',
      '    0  orders          0       120       150  skips 30',
      '    0  orders          1        20         0  reads 20 again',
      '    0  orders          2         –         9  begins there',
      '    0  orders          3         1         1  stays',
      'batch … is given up',
      '',
    ]);
    expect(out).toContain('planned and not committed: 2026-11-21T10:00:01.000Z');
    expect(err).toBe('dry run: nothing was changed; add --execute\n');
    expect(asked).toMatchObject([{ execute: false, change: { target: 'latest', latest: true, only: [] } }]);
  });

  it('say what becomes of a batch that is given up where nothing moves, and of another topic', async () => {
    const planned = { from: 40, until: 50 };
    const report = {
      ...MOVED,
      givesUp: true,
      partitions: [
        { input: 0, topic: 'orders', partition: 0, position: 40, planned },
        { input: 0, topic: 'orders', partition: 1, target: 40, planned },
        { input: 0, topic: 'orders', partition: 2, target: 41, planned },
        { input: 0, topic: 'orders', partition: 3, target: 30, planned },
        { input: 0, topic: 'orders', partition: 4, position: 9, target: 0, isRecreated: true },
        { input: 0, topic: 'orders', partition: 5, position: 0, isRecreated: true },
      ],
    };
    const { out } = await run(answering(report).script, ['offsets', 'reset', 'views', '--shift-by', '0']);
    expect(out.split('\n').slice(1)).toEqual([
      'INPUT  TOPIC   PARTITION  POSITION  WOULD BE  CHANGE',
      '    0  orders          0        40        40  stays',
      '    0  orders          1         –        40  begins where it was planned',
      '    0  orders          2         –        41  skips 1',
      '    0  orders          3         –        30  begins there',
      '    0  orders          4         9         0  begins there: another topic of that name',
      '    0  orders          5         0         0  stays, and there is another topic of that name',
      'batch … is given up',
      '',
    ]);
    await driver?.close();
    const stays = { ...report, partitions: report.partitions.slice(0, 1) };
    const argv = ['offsets', 'reset', 'views', '--shift-by', '0'];
    expect((await run(answering(stays).script, argv)).err).toBe(
      'dry run: nothing was changed; add --execute\n',
    );
    await driver?.close();
    const unchanged = { ...stays, givesUp: false };
    expect((await run(answering(unchanged).script, argv)).err).toBe('nothing to change\n');
  });

  it.each([
    [['reset', 'views', '--to-earliest'], { target: 'earliest' }],
    [['reset', 'views', '--to-group'], { target: 'group' }],
    [['reset', 'views', '--shift-by', '-5'], { target: 'shift', shift: -5 }],
    [['reset', 'views', '--to-datetime', '1970-01-01T00:00:01Z'], { target: 'timestamp', timestamp: 1000 }],
    [
      ['reset', 'views', '--to-latest', '--topic', 'orders-1', '--topic', 'returns', '--input', '0'],
      { target: 'latest', only: ['orders-1', 'returns'], input: 0 },
    ],
    [
      ['set', 'views', 'orders-0=7', 'returns-1=9007199254740991'],
      { target: 'exact', exact: { offsets: { 'orders-0': 7, 'returns-1': 9007199254740991 } } },
    ],
  ])('ask the driver: %j', async (argv, change) => {
    const { asked, script } = answering({ ...MOVED, executed: true });
    const { exitCode, err } = await run(script, ['offsets', ...argv, '--execute']);
    expect([exitCode, err]).toEqual([0, '']);
    expect(asked).toMatchObject([{ execute: true, change }]);
  });

  it.each([
    [['reset', 'views'], 'give one of'],
    [['reset', 'views', '--to-latest', '--to-earliest'], 'give one of'],
    [['reset', 'views', '--to-datetime', 'yesterday'], 'is not a time'],
    [['reset', 'views', '--shift-by', '1.5'], 'is not an integer'],
    [['set', 'views', 'orders=7'], 'is not topic-partition'],
    [['set', 'views', 'orders-0=-1'], 'is not an offset'],
    [['set', 'views', 'orders-0=9007199254740992'], 'is not an offset'],
    [['set', 'views', 'orders-0'], 'expected key=value'],
    [['set', 'views', 'orders-0=1', 'orders-1=1', 'orders-0=2'], '"orders-0" is given twice'],
    [['reset', 'views', '--to-latest', '--exekute'], 'did you mean --execute?'],
    [['reset', 'views', '--to-latest', '--execute', '--dry-run'], 'cannot be used with'],
  ])('end in 2 for %j', async (argv, problem) => {
    const { exitCode, err } = await run({}, ['offsets', ...argv]);
    expect(exitCode).toBe(2);
    expect(err).toContain(problem);
  });

  it('end in 6 while the application runs, and in 7 for offsets that are not there', async () => {
    for (const [code, exitCode] of [
      ['APPLICATION_EXISTS', 6],
      ['OFFSET_OUT_OF_RANGE', 7],
    ] as const) {
      const offsets = () => ({ error: errorToWire(new MillraceError(code, 'no')) });
      expect((await run({ offsets }, ['offsets', 'reset', 'views', '--to-latest'])).exitCode).toBe(exitCode);
      await driver?.close();
    }
  });
});

describe('log', () => {
  const BATCH = {
    kind: 'batch',
    batchTime: Date.parse('2026-11-21T10:00:00Z'),
    epoch: 1,
    programHash: 'abcdef0123456789',
    state: 'committed',
    ranges: [
      { input: 0, topic: 'orders', partition: 0, fromOffset: 100, untilOffset: 120 },
      { input: 0, topic: 'orders', partition: 1, fromOffset: 9, untilOffset: 9 },
    ],
    committed: { epoch: 2, metrics: { records: 19, tasks: 1, processingMs: 12 } },
  };
  const MOVE = {
    kind: 'moved',
    at: Date.parse('2026-11-21T10:00:05Z'),
    epoch: 3,
    reason: 'request',
    abandons: Date.parse('2026-11-21T10:00:01Z'),
    moves: [{ input: 0, topic: 'orders', partition: 0, from: 120, to: 150 }],
  };
  const offsetLog = [BATCH, { ...BATCH, state: 'planned', committed: null }, MOVE].map((entry) =>
    JSON.stringify(entry),
  );

  it('prints batches with their ranges and commits, and decisions about offsets', async () => {
    const { exitCode, out } = await run({ offsetLog }, ['log', 'views']);
    expect(exitCode).toBe(0);
    expect(out.split('\n')).toEqual([
      '2026-11-21T10:00:00.000Z · epochs 1, 2 · 20 offsets · 19 rec 1 tasks ✓ 12ms',
      '  orders-0 [100, 120)',
      '2026-11-21T10:00:00.000Z · epoch 1 · 20 offsets · planned and not committed',
      '  orders-0 [100, 120)',
      '2026-11-21T10:00:05.000Z · epoch 3 · offsets were set · gives up batch 2026-11-21T10:00:01.000Z',
      '  orders-0 120 → 150',
      '',
    ]);
  });

  it('prints one JSON line an entry with --json, and the last ones with --tail', async () => {
    const { out } = await run({ offsetLog }, ['log', 'views', '--json', '--tail', '1']);
    expect(JSON.parse(out)).toEqual({ version: 1, ...MOVE });
  });
});

import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { planHashOf } from '../batch/plan-hash.ts';
import { checkLog, told } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { ApplicationLog } from './application-log.ts';
import { readLog, recoverLog } from './log-reader.ts';
import { begunOutputs } from './log-state.ts';

function open(files: MemoryLogFiles, segmentBytes = 1 << 20): ApplicationLog {
  return ApplicationLog.open({ files, logger: silentLogger, segmentBytes, segmentsRetained: 1 });
}

function run(log: ApplicationLog, batchTime: number): void {
  log.plan({ batchTime, programHash: 'p', planHash: `h${batchTime}`, intervals: 1, inputs: [] });
  log.commit(batchTime, { records: 0, tasks: 1, processingMs: 1 });
}

const text = (files: MemoryLogFiles): string =>
  [...files.contents.values()].map((bytes) => Buffer.from(bytes).toString()).join('');

describe('what a log says of exactly-once outputs', () => {
  it('is the most tasks that each ever had, over rotations and into a new epoch', () => {
    const files = new MemoryLogFiles();
    const log = open(files, 100);
    log.output('millrace/app/a', 3);
    log.output('millrace/app/b', 1);
    log.output('millrace/app/a', 5);
    const outputs = new Map([
      ['millrace/app/a', 5],
      ['millrace/app/b', 1],
    ]);
    for (let n = 1; n < 10; n++) run(log, n);
    expect(log.state.outputs).toEqual(outputs);
    expect(recoverLog(files).state.outputs).toEqual(outputs);
    expect(open(files).state.outputs).toEqual(outputs);
    expect(readLog(files).state.outputs).toEqual(outputs);
  });

  it('is to which of them a planned batch may have been written', async () => {
    const files = new MemoryLogFiles();
    const log = open(files);
    log.output('millrace/app/a', 3);
    log.output('millrace/app/b', 2);
    const plan = { programHash: 'p', intervals: 1, inputs: [] };
    const planHash = planHashOf(plan, []);
    log.plan({ ...plan, planHash, batchTime: 1, outputs: ['millrace/app/a', 'millrace/app/none'] });
    expect([...begunOutputs(log.state)]).toEqual(['millrace/app/a']);
    // Another program runs it.
    const again = open(files);
    again.output('millrace/app/b', 2);
    expect([...begunOutputs(open(files).state)]).toEqual(['millrace/app/a', 'millrace/app/b']);
    expect(told(await checkLog(files))).toBe('');
    const older = open(files);
    older.commit(1, { records: 0, tasks: 1, processingMs: 1 });
    older.plan({ ...plan, planHash, batchTime: 2 });
    expect([...begunOutputs(older.state)]).toEqual(['millrace/app/a', 'millrace/app/b']);
    older.commit(2, { records: 0, tasks: 1, processingMs: 1 });
    expect([...begunOutputs(older.state)]).toEqual([]);
    older.output('millrace/app/b', 2);
    expect(told(await checkLog(files))).toContain('has 2 tasks after 2');
  });

  it('is nothing that an older Millrace could not read, when there are none', () => {
    const files = new MemoryLogFiles();
    run(open(files), 1);
    open(files);
    expect(text(files)).not.toContain('outputs');
    expect(text(files)).not.toContain('"v":4');
  });

  it('is refused by an older Millrace, which would not claim their ids', () => {
    const files = new MemoryLogFiles();
    open(files).output('millrace/app/a', 3);
    expect(text(files)).toContain('{"v":4,"kind":"output"');
    const again = new MemoryLogFiles();
    for (const [name, bytes] of files.contents) again.contents.set(name, bytes);
    open(again);
    expect(text(again)).toContain('{"v":4,"kind":"anchor"');
  });
});

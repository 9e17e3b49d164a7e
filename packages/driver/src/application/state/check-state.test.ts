import { describe, expect, it } from '@jest/globals';
import type { StateHead } from '@millrace/api/internal';
import { encodeStateSection } from '@millrace/proto/task';
import { crc32c } from '@node-rs/crc32';
import { batch, checkLog, METRICS, openLog, rewritten, told } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { MemoryStateFiles } from '../testing/memory-state-files.ts';
import type { StateChanges } from './logged-state.ts';
import { stateFileName } from './state-files.ts';

const OPERATOR = 'totals';

/** A log whose last batch keeps state of two partitions: a snapshot each, and a delta on that of partition 1. */
function stateful() {
  const logFiles = new MemoryLogFiles();
  const files = new MemoryStateFiles();
  const log = openLog(logFiles);
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

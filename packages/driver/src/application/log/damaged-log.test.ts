import { describe, expect, it } from '@jest/globals';
import { batch, codeOf, FIRST_SEGMENT, openLog, run } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { readLog, recoverLog } from './log-reader.ts';

describe('a damaged log', () => {
  const whole = new MemoryLogFiles();
  const log = openLog(whole);
  run(log, 0, 2);
  log.plan(batch(2));
  const content = whole.read(FIRST_SEGMENT);
  const ends: number[] = [];
  for (let at = 0; at < content.length; at++) if (content[at] === 0x0a) ends.push(at + 1);

  it('loses only its torn tail, at whatever byte it was torn', () => {
    for (let length = 0; length <= content.length; length++) {
      const files = new MemoryLogFiles();
      files.contents.set(FIRST_SEGMENT, content.slice(0, length));
      // A record counts when all of it but its line break is there.
      const records = ends.filter((end) => end - 1 <= length).length;
      // anchor, plan 0, commit 0, plan 1, commit 1, plan 2
      const state = openLog(files).state;
      expect(state.lastCommitted).toBe(
        [undefined, undefined, undefined, 1_000, 1_000, 2_000, 2_000][records],
      );
      expect(state.pending?.batchTime).toBe(
        [undefined, undefined, 1_000, undefined, 2_000, undefined, 3_000][records],
      );
    }
  });

  it('loses only the blocks that were never written when the file was extended before a crash', () => {
    for (const missing of [2, 7, 100]) {
      const files = new MemoryLogFiles();
      const torn = Uint8Array.from(content);
      torn.fill(0, content.length - missing);
      files.contents.set(FIRST_SEGMENT, torn);
      expect(openLog(files).state).toMatchObject({ lastCommitted: 2_000, pending: undefined });
    }
  });

  it('is refused when any byte of it is flipped, never taken for another state', () => {
    const accepted: number[] = [];
    for (let at = 0; at < content.length; at++) {
      for (const mask of [0x01, 0x80, 0xff, 0x0a, 0x20]) {
        const files = new MemoryLogFiles();
        const damaged = Uint8Array.from(content);
        damaged[at] = (damaged[at] ?? 0) ^ mask;
        files.contents.set(FIRST_SEGMENT, damaged);
        if (codeOf(() => openLog(files)) !== 'LOG_CORRUPT') accepted.push(at);
        else continue;
        expect(recoverLog(files).state).toEqual(log.state);
      }
    }
    // The last line break.
    expect(new Set(accepted)).toEqual(new Set([content.length - 1]));
  });

  it('is refused when the segment before a fence has lost its end', () => {
    const files = whole.copy();
    openLog(files);
    files.contents.set(FIRST_SEGMENT, content.slice(0, ends[3]));
    expect(codeOf(() => readLog(files))).toBe('LOG_CORRUPT');
  });

  it('is refused when only empty segments of later epochs are left', () => {
    const files = new MemoryLogFiles();
    files.create('epoch-00000007-000001.log');
    expect(codeOf(() => openLog(files))).toBe('LOG_CORRUPT');
  });
});

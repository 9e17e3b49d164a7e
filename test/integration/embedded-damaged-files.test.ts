// The files of a real application, cut off and flipped byte by byte, and on a disk that fails.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DStream } from '@millrace/api';
import { MillraceError, silentLogger } from '@millrace/common';
import { ApplicationLog } from '../../packages/driver/src/application/log/application-log.ts';
import { MemoryLogFiles } from '../../packages/driver/src/application/testing/memory-log-files.ts';
import { figure } from '../support/figure.ts';
import { add, type Pair, sorted, useStateApplications } from '../support/use-state-applications.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
/** Every so many bytes of keyed state: each costs a run. */
const STEP = LONG ? 1 : 41;
const TIMEOUT_MS = LONG ? 600_000 : 60_000;
const MASKS = [0x01, 0x80, 0xff];
const TOTALS = ['["a",2]', '["b",3]', '["c",7]'];

const withApplication = useStateApplications();
type Application = Parameters<Parameters<typeof withApplication>[1]>[0];

/** Runs one batch; the totals that it saw. */
async function totals(application: Application): Promise<readonly string[]> {
  let seen: readonly string[] = [];
  await application.run((pairs: DStream<Pair>) =>
    pairs.updateStateByKey(add, { name: 'totals', partitions: 1 }).foreachRDD(async (rdd) => {
      seen = sorted(await rdd.collect());
    }),
  );
  return seen;
}

/** Three runs of an application; what they left. */
async function withFiles(
  use: (application: Application, logDirectory: string) => Promise<void>,
): Promise<void> {
  const pairs: readonly Pair[] = [
    ['a', 1],
    ['b', 3],
  ];
  await withApplication(pairs, async (application) => {
    await totals(application);
    await application.produce([
      ['c', 7],
      ['a', 1],
    ]);
    await totals(application);
    expect(await totals(application)).toEqual(TOTALS);
    await use(application, join(application.stateDir, 'app', 'log'));
  });
}

/** What is in the log's own files. */
function logFiles(directory: string): MemoryLogFiles {
  const files = new MemoryLogFiles();
  for (const name of readdirSync(directory)
    .filter((each) => each.endsWith('.log'))
    .toSorted())
    files.contents.set(name, Uint8Array.from(readFileSync(join(directory, name))));
  return files;
}

const open = (files: MemoryLogFiles): ApplicationLog =>
  ApplicationLog.open({ files, logger: silentLogger, segmentBytes: 1 << 20, segmentsRetained: 100 });

/** What a start finds, as text; the code of what it ends with. */
function found(files: MemoryLogFiles): string {
  try {
    const { state } = open(files);
    return JSON.stringify(state, (_, value: unknown) => (value instanceof Map ? [...value] : value));
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
}

describe('the files of an application', () => {
  it('lose only what was being written when the last one is cut off, at whatever byte', async () => {
    await withFiles(async (_, directory) => {
      const whole = logFiles(directory);
      const name = whole.list().at(-1) ?? '';
      const content = whole.read(name);
      const cutAt = (length: number): string => {
        const files = whole.copy();
        files.contents.set(name, content.slice(0, length));
        return found(files);
      };
      // A record counts when all of it but its line break is there.
      const ends = [...content.keys()].filter((at) => content[at] === 0x0a);
      const states = [cutAt(0), ...ends.map(cutAt)];
      expect(states).not.toContain('LOG_CORRUPT');
      expect(new Set(states).size).toBeGreaterThan(2);
      for (let length = 0; length <= content.length; length++)
        expect(cutAt(length)).toBe(states[ends.filter((end) => end <= length).length]);
      figure(
        6,
        `cut off at each of ${content.length} bytes (${ends.length} records): 0 starts refused, 0 that lost more than the torn record`,
      );
    });
  });

  it(
    'are refused, or lead to the same state, when any byte is another one: never to a fresh start',
    async () => {
      await withFiles(async (application, directory) => {
        const whole = logFiles(directory);
        const right = found(whole.copy());
        let flips = 0;
        let refused = 0;
        for (const [name, content] of whole.contents)
          for (let at = 0; at < content.length; at++)
            for (const mask of MASKS) {
              const files = whole.copy();
              files.contents.set(name, content.with(at, (content[at] ?? 0) ^ mask));
              const said = found(files);
              flips += 1;
              if (said === 'LOG_CORRUPT') refused += 1;
              else expect(said).toBe(right);
            }
        const state = await flippedState(application, directory);
        figure(
          30,
          `log: ${flips} flips, ${refused} refused (LOG_CORRUPT), ${flips - refused} with the same state; keyed state: ${state.flips} flips, ${state.refused} refused (STATE_CORRUPT), ${state.flips - state.refused} with the same totals; 0 fresh starts`,
        );
        expect(state.refused).toBeGreaterThan(state.flips / 2);
      });
    },
    TIMEOUT_MS,
  );

  it('are not begun anew when the disk fails a write, a sync or a read, whichever it is', async () => {
    await withFiles(async (_, directory) => {
      const whole = logFiles(directory);
      const { lastCommitted: before = 0 } = open(whole.copy()).state;
      let writes = 0;
      for (let failing = 0; ; failing++) {
        const files = whole.copy();
        let count = 0;
        files.fault = () => {
          if (count++ >= failing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
        };
        const { acknowledged, code } = writeOn(files, before);
        files.fault = undefined;
        expect(open(files).state.lastCommitted).toBeGreaterThanOrEqual(acknowledged);
        if (code === undefined) break;
        expect(code).toBe('LOG_WRITE_FAILED');
        writes += 1;
      }
      let reads = 0;
      let refused = 0;
      for (const name of whole.list()) {
        const files = whole.copy();
        const read = files.read.bind(files);
        files.read = (wanted) => {
          if (wanted === name) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
          return read(wanted);
        };
        const said = found(files);
        if (said === 'LOG_CORRUPT') refused += 1;
        else expect(said).toBe(found(whole.copy()));
        reads += 1;
      }
      expect(writes).toBeGreaterThan(4);
      expect(refused).toBeGreaterThan(0);
      figure(
        22,
        `EIO at each of ${writes} writes and syncs: LOG_WRITE_FAILED, 0 acknowledged batches lost; at reads of each of ${reads} files: LOG_CORRUPT, or not needed; 0 fresh starts`,
      );
    });
  });
});

/** Starts, and makes three batches; the last one that was acknowledged, and what it ended with. */
function writeOn(files: MemoryLogFiles, before: number): { acknowledged: number; code: string | undefined } {
  let acknowledged = before;
  try {
    const log = open(files);
    for (let n = 1; n <= 3; n++) {
      const batchTime = before + n * 1_000;
      log.plan({ batchTime, programHash: 'p', planHash: 'h', intervals: 1, inputs: [] });
      log.commit(batchTime, { records: 0, tasks: 0, processingMs: 1 });
      acknowledged = batchTime;
    }
    return { acknowledged, code: undefined };
  } catch (error) {
    return { acknowledged, code: MillraceError.is(error) ? error.code : String(error) };
  }
}

/** Bytes of keyed state, one after the other, with a run behind each. */
async function flippedState(application: Application, logDirectory: string) {
  const kept = mkdtempSync(join(tmpdir(), 'millrace-kept-'));
  let flips = 0;
  let refused = 0;
  try {
    cpSync(logDirectory, kept, { recursive: true });
    for (const file of application.files) {
      const content = readFileSync(file);
      for (let at = 0; at < content.length; at += STEP) {
        rmSync(logDirectory, { recursive: true });
        cpSync(kept, logDirectory, { recursive: true });
        writeFileSync(file, content.with(at, (content[at] ?? 0) ^ 0x10));
        flips += 1;
        try {
          expect(await totals(application)).toEqual(TOTALS);
        } catch (error) {
          if (!MillraceError.is(error, 'STATE_CORRUPT')) throw error;
          refused += 1;
        }
      }
    }
    expect(dirname(application.files[0] ?? '')).toContain(logDirectory);
  } finally {
    rmSync(kept, { recursive: true });
  }
  return { flips, refused };
}

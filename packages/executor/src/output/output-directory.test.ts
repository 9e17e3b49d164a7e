import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { crc32, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FileManifest, FileSettings, TaskContextData, WrittenPart } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { FileStep, FileTaskSink } from './file-task-sink.ts';
import type { SinkRequest } from './task-sink.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Run = Partial<Pick<TaskContextData, 'application' | 'epoch' | 'batchTime' | 'jobId' | 'partitionId'>>;

/** What a stream's output writes in batch 5000, unless it says otherwise. */
const ONCE: Partial<FileSettings> = { stage: 'out', planHash: 'h' };
/** An RDD's action. */
const REPLACING: Partial<FileSettings> = { stage: 'out', call: 'a-call' };

function request(settings: Partial<FileSettings>, run: Run = {}): SinkRequest {
  const value = serialize({
    directory: join(directory, 'out'),
    format: 'text',
    isCompressed: false,
    output: 'saveAsTextFiles#0',
    ...settings,
  });
  const action = { kind: 'fileWrite', closures: [], numbers: [], place: '', value };
  return {
    action,
    functions: [],
    task: { application: 'app', epoch: 1, batchTime: 5000, jobId: 2, partitionId: 0, ...run },
    signal: new AbortController().signal,
  } as unknown as SinkRequest;
}

async function write(
  rows: readonly unknown[],
  settings: Partial<FileSettings> = ONCE,
  run: Run = {},
): Promise<WrittenPart | undefined> {
  const sink = new FileTaskSink(request(settings, run));
  for (const row of rows) {
    sink.write(row);
    if (sink.isFull) await sink.ready();
  }
  return sink.finish();
}

const commit = (
  parts: ReadonlyArray<WrittenPart | undefined>,
  settings: Partial<FileSettings> = ONCE,
  run: Run = {},
): Promise<boolean> => new FileStep(request({ ...settings, parts }, run)).finish();

/** One partition. */
const save = async (
  rows: readonly unknown[],
  settings: Partial<FileSettings> = ONCE,
  run: Run = {},
): Promise<boolean> => commit([await write(rows, settings, run)], settings, run);

const path = (name = ''): string => join(directory, 'out', name);
const text = (name = 'part-00000'): string => readFileSync(path(name), 'utf8');
const manifest = (): FileManifest => JSON.parse(text('_SUCCESS')) as FileManifest;
const codeOf = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'nothing thrown',
    (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
  );

describe('files of an output', () => {
  it('have a line for each row: texts as they are, other rows as JSON', async () => {
    const parts = [
      await write(['a', 'ö', 5, null, { n: [1] }]),
      await write(['a', { n: 1 }], { ...ONCE, format: 'json' }, { partitionId: 12_345 }),
    ];
    await commit(parts);
    expect(text()).toBe('a\nö\n5\nnull\n{"n":[1]}\n');
    expect(text('part-12345')).toBe('"a"\n{"n":1}\n');
  });

  it('are there when a partition is empty, as Spark’s', async () => {
    const zipped = { ...ONCE, isCompressed: true };
    await commit([await write([]), await write([], zipped)]);
    expect(text()).toBe('');
    expect(gunzipSync(readFileSync(path('part-00000.gz'))).toString()).toBe('');
  });

  it('hold many and very long rows, also compressed', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `row ${i} ${'ä'.repeat(i % 100)}`);
    rows.push('x'.repeat(3_000_000));
    await commit([await write(rows), await write(rows, { ...ONCE, isCompressed: true })]);
    expect(text()).toBe(`${rows.join('\n')}\n`);
    expect(gunzipSync(readFileSync(path('part-00000.gz'))).toString()).toBe(`${rows.join('\n')}\n`);
  });

  it('are named by a manifest, with what they hold', async () => {
    const parts = [
      await write(['a', 'ö']),
      await write(['b'], { ...ONCE, isCompressed: true }, { partitionId: 1 }),
    ];
    expect(await commit(parts)).toBe(true);
    const files = manifest().files.map(({ name }) => name);
    expect(readdirSync(path()).toSorted()).toEqual(['_SUCCESS', ...files]);
    for (const { name, bytes, crc32: sum } of manifest().files) {
      const content = readFileSync(path(name));
      expect([content.length, crc32(content)]).toEqual([bytes, Number.parseInt(sum, 16)]);
    }
    expect(manifest()).toMatchObject({
      format: 'millrace-files',
      version: 1,
      application: 'app',
      output: 'saveAsTextFiles#0',
      batchTime: 5000,
      epoch: 1,
      job: 2,
      planHash: 'h',
      rows: 3,
      files: [
        { name: 'part-00000', rows: 2, bytes: 5 },
        { name: 'part-00001.gz', rows: 1 },
      ],
    });
  });

  it.each([[undefined], [() => 1], [1n], [Promise.resolve(1)]])('refuse the row %p', async (row) => {
    expect(await codeOf(save([row]))).toBe('VALUE_ENCODE');
  });

  it('fail with the path when the directory cannot be written', async () => {
    writeFileSync(join(directory, '_temporary'), 'a file');
    expect(await codeOf(write(['a']))).toBe('OUTPUT_WRITE_FAILED');
    rmSync(join(directory, '_temporary'));
    writeFileSync(path(), 'a file');
    expect(await codeOf(save(['a']))).toBe('OUTPUT_WRITE_FAILED');
  });
});

describe('the directory of a batch', () => {
  it('appears as a whole, and nothing is left beside it', async () => {
    const written = await write(['a']);
    const failed = new FileTaskSink(request(ONCE, { partitionId: 1 }));
    failed.write('half');
    await failed.ready();
    expect(existsSync(path())).toBe(false);
    await failed.abort();
    const dead = new FileTaskSink(request(ONCE, { partitionId: 1 }));
    dead.write('half');
    await dead.ready();
    await commit([written, await write(['b'], ONCE, { partitionId: 1 })]);
    expect(readdirSync(directory)).toEqual(['out']);
    expect([text(), text('part-00001')]).toEqual(['a\n', 'b\n']);
  });

  it('is made of the attempts that count: one that comes back later, of this run or an older one, changes nothing', async () => {
    const zombies = [1, 2].map((epoch) => new FileTaskSink(request(ONCE, { epoch })));
    for (const zombie of zombies) {
      for (let i = 0; i < 50_000; i++) zombie.write('of a zombie');
      await zombie.ready();
    }
    await save(['right'], ONCE, { epoch: 2 });
    const { ino } = statSync(path('part-00000'));
    for (const zombie of zombies) {
      zombie.write('more');
      const part = await zombie.finish();
      expect(await commit([part], ONCE, { jobId: 1 })).toBe(false);
    }
    // It was not even begun.
    expect(await write(['late'])).toBeUndefined();
    expect([text(), statSync(path('part-00000')).ino, manifest().epoch]).toEqual(['right\n', ino, 2]);
    expect(readdirSync(directory)).toEqual(['out']);
  });

  it('that was made by a run that then died is found, and not written again', async () => {
    await save(['a']);
    expect(await save(['a'], ONCE, { epoch: 2 })).toBe(false);
    expect(manifest().epoch).toBe(1);
    // It became complete when some tasks of the next run had written theirs.
    rmSync(path(), { recursive: true });
    const part = await write(['a'], ONCE, { epoch: 2 });
    await save(['a']);
    expect(await commit([part, undefined], ONCE, { epoch: 2 })).toBe(false);
  });

  it('of two runs that make it at the same time is of one of them', async () => {
    const runs = [1, 2, 3, 4, 5, 6];
    const parts = await Promise.all(
      runs.map((epoch) =>
        Promise.all([0, 1].map((partitionId) => write([`of ${epoch}`], ONCE, { epoch, partitionId }))),
      ),
    );
    const made = await Promise.allSettled(
      parts.map((of, index) => commit(of, ONCE, { epoch: runs[index] as number })),
    );
    const winners = made.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each] : []));
    expect(winners).toHaveLength(1);
    const { epoch } = manifest();
    expect([text(), text('part-00001')]).toEqual([`of ${epoch}\n`, `of ${epoch}\n`]);
  });

  it('is made when an attempt at it was killed in its middle', async () => {
    const parts = [await write(['a']), await write(['b'], ONCE, { partitionId: 1 })];
    const stage = join(directory, '_temporary/app/out/5000/all');
    mkdirSync(join(stage, 'whole-1-2'));
    renameSync(join(stage, parts[0]?.file ?? ''), join(stage, 'whole-1-2/part-00000'));
    expect(await commit(parts)).toBe(true);
    expect([text(), text('part-00001')]).toEqual(['a\n', 'b\n']);
    // The answer was lost.
    expect(await commit(parts)).toBe(false);
  });

  it.each<[string, Partial<FileSettings>, Run]>([
    ['another batch', { planHash: 'other' }, {}],
    ['another output', { output: 'saveAsTextFiles#1' }, {}],
    ['another application', {}, { application: 'other' }],
  ])('that is of %s is a conflict, and stays', async (_what, settings, run) => {
    await save(['old']);
    expect(await codeOf(save(['new'], { ...ONCE, ...settings }, run))).toBe('OUTPUT_CONFLICT');
    expect(text()).toBe('old\n');
  });

  it('with something else in it is a conflict; an empty one is taken', async () => {
    mkdirSync(path());
    writeFileSync(path('notes.txt'), 'mine');
    expect(await codeOf(save(['new']))).toBe('OUTPUT_CONFLICT');
    expect(readdirSync(path())).toEqual(['notes.txt']);
    rmSync(path('notes.txt'));
    // Spark's.
    writeFileSync(path('_SUCCESS'), '');
    expect(await codeOf(save(['new']))).toBe('OUTPUT_CONFLICT');
    rmSync(path('_SUCCESS'));
    expect(await save(['new'])).toBe(true);
  });

  it('is an error when a file is gone, or short, or was written where the others are not seen', async () => {
    const parts = [await write(['a']), await write(['b'], ONCE, { partitionId: 1 })];
    writeFileSync(join(directory, '_temporary/app/out/5000/all', parts[0]?.file ?? ''), '');
    expect(await codeOf(commit(parts))).toBe('OUTPUT_WRITE_FAILED');
    expect(existsSync(path())).toBe(false);
    expect(await codeOf(commit([undefined]))).toBe('OUTPUT_WRITE_FAILED');
  });

  it('takes away what batches before it have left, not what later ones write', async () => {
    await write(['given up'], ONCE, { batchTime: 4000 });
    await write(['later'], ONCE, { batchTime: 6000 });
    await write(['of another'], { ...ONCE, stage: 'another' }, { batchTime: 4000 });
    await write(['of another application'], ONCE, { application: 'other', batchTime: 4000 });
    await save(['a']);
    const left = (name: string): readonly string[] => readdirSync(join(directory, '_temporary', name));
    expect(left('').toSorted()).toEqual(['app', 'other']);
    expect([left('app').toSorted(), left('app/out')]).toEqual([['another', 'out'], ['6000']]);
  });
});

describe('the directory of an RDD', () => {
  it('is replaced as a whole by a later call', async () => {
    await commit(
      [await write(['a'], REPLACING), await write(['b'], REPLACING, { partitionId: 1 })],
      REPLACING,
    );
    await save(['new'], { ...REPLACING, call: 'another-call' }, { jobId: 4 });
    expect(readdirSync(path()).toSorted()).toEqual(['_SUCCESS', 'part-00000']);
    expect([text(), readdirSync(directory)]).toEqual(['new\n', ['out']]);
    expect(await save(['newer'], REPLACING, { epoch: 2, batchTime: 6000, jobId: 1 })).toBe(true);
    expect(text()).toBe('newer\n');
  });

  it('is not replaced by an earlier call that comes back', async () => {
    const late = await write(['late'], REPLACING, { jobId: 1 });
    await save(['new'], { ...REPLACING, call: 'another-call' }, { epoch: 2, jobId: 1 });
    expect(await codeOf(commit([late], REPLACING))).toBe('OUTPUT_CONFLICT');
    expect(text()).toBe('new\n');
  });

  it('stays when attempts at it overlap: one makes it, and none of the others takes it away', async () => {
    for (let round = 0; round < 40; round++) {
      const settings = { ...REPLACING, call: `call-${round}` };
      const parts = [await write([`a${round}`], settings), await write(['b'], settings, { partitionId: 1 })];
      const attempts = [0, 1, 2, 3].map(async (turns) => {
        for (let turn = 0; turn < turns * ((round % 20) + 1); turn++) await new Promise(setImmediate);
        return commit(parts, settings, { jobId: 10 + round });
      });
      const done = await Promise.allSettled(attempts);
      expect(done.filter((each) => each.status === 'fulfilled' && each.value)).toHaveLength(1);
      for (const each of done)
        if (each.status === 'rejected')
          expect(await codeOf(Promise.reject(each.reason))).toBe('OUTPUT_WRITE_FAILED');
      expect([text(), text('part-00001')]).toEqual([`a${round}\n`, 'b\n']);
      // An answer was lost: it is done, and who asks tidies up.
      expect(await commit(parts, settings, { jobId: 10 + round })).toBe(false);
      expect(readdirSync(directory)).toEqual(['out']);
    }
  });

  it('does not replace what a stream has written', async () => {
    await save(['of a batch']);
    expect(await codeOf(save(['new'], REPLACING, { batchTime: 6000 }))).toBe('OUTPUT_CONFLICT');
    expect([text(), readdirSync(path()).length]).toEqual(['of a batch\n', 2]);
  });

  it('is not replaced when something else is in it', async () => {
    await save(['old'], REPLACING);
    writeFileSync(path('notes.txt'), 'mine');
    expect(await codeOf(save(['new'], { ...REPLACING, call: 'another-call' }, { jobId: 4 }))).toBe(
      'OUTPUT_CONFLICT',
    );
    expect([text(), text('notes.txt')]).toEqual(['old\n', 'mine']);
  });
});

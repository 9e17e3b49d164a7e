import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FileSettings } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { FileStep, FileTaskSink } from './file-task-sink.ts';
import type { SinkRequest } from './task-sink.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function request(settings: Partial<FileSettings>, partitionId = 0): SinkRequest {
  const value = serialize({
    directory: join(directory, 'out'),
    format: 'text',
    isCompressed: false,
    ...settings,
  });
  const action = { kind: 'fileWrite', closures: [], numbers: [], place: '', value };
  return {
    action,
    functions: [],
    task: { partitionId },
    signal: new AbortController().signal,
  } as unknown as SinkRequest;
}

async function save(
  rows: readonly unknown[],
  settings: Partial<FileSettings> = {},
  partition = 0,
): Promise<unknown> {
  const sink = new FileTaskSink(request(settings, partition));
  for (const row of rows) {
    sink.write(row);
    if (sink.isFull) await sink.ready();
  }
  return sink.finish();
}

const step = async (settings: Partial<FileSettings>): Promise<unknown> =>
  new FileStep(request(settings)).finish();
const path = (name = ''): string => join(directory, 'out', name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const codeOf = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'nothing thrown',
    (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
  );

describe('files of an output', () => {
  it('have a line for each row: texts as they are, other rows as JSON', async () => {
    expect(await save(['a', 'ö', 5, null, { n: [1] }])).toBe(5);
    expect(text('part-00000')).toBe('a\nö\n5\nnull\n{"n":[1]}\n');
    await save(['a', { n: 1 }], { format: 'json' }, 12_345);
    expect(text('part-12345')).toBe('"a"\n{"n":1}\n');
  });

  it('are there when a partition is empty, as Spark’s', async () => {
    expect(await save([])).toBe(0);
    expect(text('part-00000')).toBe('');
    await save([], { isCompressed: true });
    expect(gunzipSync(readFileSync(path('part-00000.gz'))).toString()).toBe('');
  });

  it('hold many and very long rows, also compressed', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `row ${i} ${'ä'.repeat(i % 100)}`);
    rows.push('x'.repeat(3_000_000));
    await save(rows);
    await save(rows, { isCompressed: true });
    expect(text('part-00000')).toBe(`${rows.join('\n')}\n`);
    expect(gunzipSync(readFileSync(path('part-00000.gz'))).toString()).toBe(`${rows.join('\n')}\n`);
  });

  it('appear when they are complete; what is written again replaces them at once', async () => {
    await save(['old']);
    const sink = new FileTaskSink(request({}));
    for (let i = 0; i < 50_000; i++) sink.write('new');
    await sink.ready();
    expect(text('part-00000')).toBe('old\n');
    await sink.finish();
    expect(text('part-00000')).toBe('new\n'.repeat(50_000));
  });

  it('of two attempts do not mix', async () => {
    const [a, b] = [new FileTaskSink(request({})), new FileTaskSink(request({}))];
    for (let i = 0; i < 1000; i++) {
      a.write(`a${i}`);
      b.write(`a${i}`);
      if (i % 100 === 0) await Promise.all([a.ready(), b.ready()]);
    }
    await Promise.all([a.finish(), b.finish()]);
    expect(text('part-00000').split('\n')).toHaveLength(1001);
    expect(readdirSync(path('_temporary'))).toEqual([]);
  });

  it('leave nothing when their task fails', async () => {
    const sink = new FileTaskSink(request({}));
    sink.write('half');
    await sink.ready();
    await sink.abort();
    expect(readdirSync(path())).toEqual(['_temporary']);
    expect(readdirSync(path('_temporary'))).toEqual([]);
  });

  it('are marked as complete after all, and what other runs left is removed, but nothing else', async () => {
    for (const partition of [0, 1, 2]) await save(['old'], {}, partition);
    mkdirSync(path('_temporary'), { recursive: true });
    writeFileSync(path('_temporary/part-00000-zombie'), 'half');
    writeFileSync(path('notes.txt'), 'mine');
    await step({ step: 'commit', files: 2 });
    expect(readdirSync(path()).toSorted()).toEqual(['_SUCCESS', 'notes.txt', 'part-00000', 'part-00001']);
    await step({ step: 'begin' });
    expect(existsSync(path('_SUCCESS'))).toBe(false);
    expect(text('part-00000')).toBe('old\n');
  });

  it('fail with the path when the directory cannot be written', async () => {
    writeFileSync(path(), 'a file');
    expect(await codeOf(save(['a']))).toBe('OUTPUT_WRITE_FAILED');
    expect(await codeOf(step({ step: 'commit', files: 1 }))).toBe('OUTPUT_WRITE_FAILED');
  });

  it.each([[undefined], [() => 1], [1n], [Promise.resolve(1)]])('refuse the row %p', async (row) => {
    expect(await codeOf(save([row]))).toBe('VALUE_ENCODE');
  });
});

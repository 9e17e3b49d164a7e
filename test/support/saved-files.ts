import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';

export interface SavedBatch {
  readonly time: number;
  readonly lines: readonly string[];
}

interface Manifest {
  readonly batchTime: number;
  readonly rows: number;
  readonly files: readonly { name: string; rows: number; bytes: number; crc32: string }[];
}

/** What a reader of `prefix-…` finds, in order of time. @throws when a directory is not what its manifest says; when anything else is beside. */
export function savedBatches(prefix: string): readonly SavedBatch[] {
  const parent = dirname(prefix);
  const names = readdirSync(parent).filter((name) => name.startsWith(`${basename(prefix)}-`));
  return names.map((name) => savedBatch(join(parent, name))).toSorted((a, b) => a.time - b.time);
}

function savedBatch(directory: string): SavedBatch {
  const manifest = JSON.parse(readFileSync(join(directory, '_SUCCESS'), 'utf8')) as Manifest;
  const lines = manifest.files.flatMap(({ name, rows, bytes, crc32: sum }) => {
    const content = readFileSync(join(directory, name));
    const text = (name.endsWith('.gz') ? gunzipSync(content) : content).toString();
    const found = text.split('\n').slice(0, -1);
    const is = JSON.stringify([content.length, crc32(content), found.length]);
    const wanted = JSON.stringify([bytes, Number.parseInt(sum, 16), rows]);
    if (is !== wanted) throw new Error(`${directory}/${name} is ${is}, its manifest says ${wanted}`);
    return found;
  });
  const wanted = ['_SUCCESS', ...manifest.files.map(({ name }) => name)].toSorted();
  const found = readdirSync(directory).toSorted();
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${directory} has ${found.join(', ')}, its manifest names ${wanted.join(', ')}`);
  if (!basename(directory).includes(`-${manifest.batchTime}`))
    throw new Error(`${directory} is of batch ${manifest.batchTime}`);
  return { time: manifest.batchTime, lines };
}

import type { MapOutputName } from './shuffle-store.ts';

/** A bucket of a map output as the block service knows it. */
export interface BucketName {
  readonly name: MapOutputName;
  readonly bucket: number;
}

/** "shuffle/app/1/1000/0/2/7-0/3". */
export function blockIdOf({ name, bucket }: BucketName): string {
  return `shuffle/${name.shuffle}/${name.mapPartition}-${name.attempt}/${bucket}`;
}

/** Undefined: it names no bucket. */
export function parseBlockId(id: string): BucketName | undefined {
  const [, shuffle, mapPartition, attempt, bucket] = /^shuffle\/(.+)\/(\d+)-(\d+)\/(\d+)$/s.exec(id) ?? [];
  if (shuffle === undefined) return undefined;
  const name = { shuffle, mapPartition: Number(mapPartition), attempt: Number(attempt) };
  return { name, bucket: Number(bucket) };
}

/** What is to be dropped: the map outputs of a batch, or of a dataset that outlives its batch. */
export type DroppedOutputs =
  | { readonly application: string; readonly epoch: number; readonly batchTime: number }
  /** "app/1/kept-3/". */
  | { readonly kept: string };

/** "shuffle/app/1/1000/": a batch; "shuffle/app/1/kept-3/", "shuffle/app/1/cache-3/": a persisted dataset. Undefined: it is none. */
export function parseDropPrefix(prefix: string): DroppedOutputs | undefined {
  const [, application, epoch, name] =
    /^shuffle\/([^/]+)\/(\d+)\/(\d+|(?:kept|cache)-\d+)\/$/.exec(prefix) ?? [];
  if (application === undefined || name === undefined) return undefined;
  const batchTime = Number(name);
  if (Number.isNaN(batchTime)) return { kept: `${application}/${epoch}/${name}/` };
  return { application, epoch: Number(epoch), batchTime };
}

/** "app/1/cache-3/" of a file of a persisted dataset that may be given up for others. Undefined: it may not. */
export function evictableDataset(file: string): string | undefined {
  return /^[^/]+\/\d+\/cache-\d+\//.exec(file)?.[0];
}

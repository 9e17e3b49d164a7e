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

/** "shuffle/app/1/1000/": the map outputs of a batch. Undefined: it is none. */
export function parseBatchPrefix(
  prefix: string,
): { readonly application: string; readonly epoch: number; readonly batchTime: number } | undefined {
  const [, application, epoch, batchTime] = /^shuffle\/([^/]+)\/(\d+)\/(\d+)\/$/.exec(prefix) ?? [];
  if (application === undefined) return undefined;
  return { application, epoch: Number(epoch), batchTime: Number(batchTime) };
}

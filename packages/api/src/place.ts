import { functionPlace } from '@millrace/closures';

/** "job.ts:12:8" of a lambda that the transform saw, else of the caller outside of this package, else ''. */
export function placeOf(fn?: unknown): string {
  const place = fn === undefined ? undefined : functionPlace(fn);
  return place ? `${place.file}:${place.line}:${place.column}` : callerPlace();
}

/** Where user code called into the API. */
export function callerPlace(): string {
  const frames = (new Error('place').stack ?? '').split('\n').slice(1);
  const frame = frames.find((line) => !/node:|[\\/](?:packages|@millrace)[\\/]api[\\/]/.test(line));
  return /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(frame ?? '')?.[1] ?? '';
}

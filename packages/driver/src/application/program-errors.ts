import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundleFile, loadSourceMaps, mapPlaces, mapStack, type SourceMaps } from '@millrace/closures';
import type { ErrorRecord } from '@millrace/common';

/** Moves the places and stacks of errors, and of their causes, to the user's sources. The maps are read when the first error comes. */
export function programErrors(programDir: string): (error: ErrorRecord) => ErrorRecord {
  let maps: SourceMaps | undefined;
  const map = (error: ErrorRecord): ErrorRecord => {
    maps ??= loadSourceMaps(mapFiles(programDir));
    const { place } = error.details;
    return {
      ...error,
      what: mapPlaces(error.what, maps),
      ...(typeof place === 'string' && { details: { ...error.details, place: mapPlaces(place, maps) } }),
      stack: mapStack(error.stack, maps),
      ...(error.cause ? { cause: map(error.cause) } : {}),
    };
  };
  return map;
}

/** None when they cannot be read: an error without its places is better than another error. */
function mapFiles(programDir: string): BundleFile[] {
  const maps = join(programDir, 'maps');
  try {
    return readdirSync(maps, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.map'))
      .map((name) => ({ path: `maps/${name}`, content: readFileSync(join(maps, name)) }));
  } catch {
    return [];
  }
}

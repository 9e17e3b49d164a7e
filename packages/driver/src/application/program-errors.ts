import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BundleFile,
  loadSourceMaps,
  mapPlaces,
  mapStack,
  placeFrame,
  type SourceMaps,
} from '@millrace/closures';
import { type ErrorRecord, MillraceError, problemsError } from '@millrace/common';

/** Moves the places and stacks of errors, and of their causes, to the user's sources. The maps are read when the first error comes. */
export function programErrors(programDir: string): (error: ErrorRecord) => ErrorRecord {
  let maps: SourceMaps | undefined;
  return (error) => {
    maps ??= loadSourceMaps(mapFiles(programDir));
    return mapError(error, maps);
  };
}

/** `error` with its places and stacks, and those of its causes, in the user's sources. */
export function mapError(error: ErrorRecord, maps: SourceMaps): ErrorRecord {
  const { place } = error.details;
  return {
    ...error,
    what: mapText(error.what, maps),
    remedy: mapText(error.remedy, maps),
    ...(typeof place === 'string' && { details: { ...error.details, place: mapPlaces(place, maps) } }),
    stack: mapStack(error.stack, maps),
    ...(error.cause ? { cause: mapError(error.cause, maps) } : {}),
    ...(error.problems ? { problems: error.problems.map((each) => mapError(each, maps)) } : {}),
  };
}

/** `error`, and each of its problems, with the code frame of its place, unless it has one. After `mapError`. */
export function framed(error: ErrorRecord): ErrorRecord {
  const { problems = [], details, what, remedy } = error;
  if (problems.length > 0) {
    const list = problems.map((each) => framed(each));
    const text = problemsError(list.map((each) => MillraceError.fromRecord(each)))?.what ?? what;
    return { ...error, what: text, problems: list };
  }
  const { place } = details;
  if (typeof place !== 'string' || details['frame'] !== undefined) return error;
  const frame = placeFrame(place);
  if (frame === '') return error;
  // As problems of lambdas say it; those that have no frame have their fix.
  const fix = details['fix'] ?? remedy;
  const [said = ''] = what.split('\n\n  fix: ');
  const headline = said.includes(place) ? said : `${place}: ${said}`;
  const parts = [headline.trimEnd(), frame, fix === '' ? '' : `  fix: ${fix}`];
  return {
    ...error,
    what: `${parts.filter((part) => part !== '').join('\n\n')}\n`,
    remedy: '',
    details: { ...details, frame, fix },
  };
}

/** A search that finds nothing takes a while in a long text. */
function mapText(text: string, maps: SourceMaps): string {
  return text.includes('.mjs:') ? mapPlaces(text, maps) : text;
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

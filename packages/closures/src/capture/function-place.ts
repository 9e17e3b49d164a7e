import type { Place } from '../manifest.ts';
import { closureMeta } from './closure-registry.ts';
import { tagOf } from './closure-tag.ts';

/** Where `fn` was written, if the transform saw it. */
export function functionPlace(fn: unknown): Place | undefined {
  if (typeof fn !== 'function') return undefined;
  const tag = tagOf(fn);
  switch (tag?.kind) {
    case undefined:
      return undefined;
    case 'function':
    case 'class': {
      const meta = closureMeta(tag.id);
      return meta && { file: meta.file, line: meta.start.line, column: meta.start.column + 1 };
    }
    case 'method':
      return functionPlace(tag.owner);
    case 'bound':
      return functionPlace(tag.target);
    case 'per-executor':
      return functionPlace(tag.factory);
  }
}

/** True when the transform saw `fn`: it can be captured unless what it captures cannot leave this process. */
export function isShippable(fn: unknown): boolean {
  return typeof fn === 'function' && tagOf(fn) !== undefined;
}

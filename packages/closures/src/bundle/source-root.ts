import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** The nearest directory at or above `directory` with a package.json, else `directory`. */
export function findSourceRoot(directory: string): string {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return directory;
  }
}

/** `file` as it is named in manifests and messages: relative, POSIX. */
export function fileLabel(sourceRoot: string, file: string): string {
  return relative(sourceRoot, file).split(sep).join('/');
}

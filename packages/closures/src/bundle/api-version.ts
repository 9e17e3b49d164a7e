import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { MILLRACE_VERSION, sameApi } from '@millrace/common';

const PACKAGE_NAME = /^@millrace\/[^/]+/;

/** The `@millrace` package that `importer` finds when it imports `specifier`, if its version does not fit ours. */
export function strangeApi(
  specifier: string,
  importer: string,
): { readonly name: string; readonly version: string } | undefined {
  const name = PACKAGE_NAME.exec(specifier)?.[0];
  if (name === undefined) return undefined;
  const version = installedVersion(name, importer);
  return version === undefined || sameApi(version, MILLRACE_VERSION) ? undefined : { name, version };
}

/** undefined when it is not installed there: it is not bundled, so that hosts and executors bring their own. */
function installedVersion(name: string, importer: string): string | undefined {
  try {
    const manifest = createRequire(importer).resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE_PATH = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))(?:[\\/]|$)/;

/** Packages that look for a compiled addon at run time; whoever imports one of them has an addon. */
export const ADDON_LOADERS =
  /^(?:bindings|node-gyp-build|node-gyp-build-optional-packages|prebuild-install|@mapbox\/node-pre-gyp)$/;

export function packageOf(path: string): { name: string; directory: string } | undefined {
  const match = PACKAGE_PATH.exec(path);
  if (match === null) return undefined;
  return { directory: match[1] ?? '', name: (match[2] ?? '').replaceAll('\\', '/') };
}

/** Whether the package in `directory` has a compiled binding of its own. */
export function hasNativeBinding(directory: string): boolean {
  if (existsSync(join(directory, 'binding.gyp')) || existsSync(join(directory, 'prebuilds'))) return true;
  try {
    const description = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    return description['gypfile'] === true || description['napi'] !== undefined;
  } catch {
    return false;
  }
}

import type { JobManifest } from '../manifest.ts';

export interface BundleFile {
  /** Relative POSIX path: never absolute, no `..`. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A job, ready to be sent: `driver.mjs`, `executor/*.mjs`, `maps/*.map`, `manifest.json`. */
export interface JobBundle {
  /** Content hash; the same sources give the same hash on every machine. */
  readonly programHash: string;
  readonly files: readonly BundleFile[];
  readonly manifest: JobManifest;
}

export interface BundleOptions {
  /** Packages that are not bundled: hosts and executors have them installed. */
  readonly externals?: readonly string[];
  /** Directory that file names in messages are relative to; default: the nearest with a package.json. */
  readonly sourceRoot?: string;
}

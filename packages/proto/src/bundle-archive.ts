import { MillraceError, messageOf } from '@millrace/common';
import protobuf from 'protobufjs/light.js';
import { bundleDescriptor } from './gen/bundle-descriptor.ts';

/** Program files of more bytes than this, packed, are refused. */
export const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;
export const BUNDLE_FILES_MAX = 10_000;
const FORMAT = 1;

/** One file of a program. */
export interface BundleFile {
  /** Relative, with '/', without '.' and '..'. */
  readonly path: string;
  readonly content: Uint8Array;
}

const root = protobuf.Root.fromJSON(bundleDescriptor);
const bundleType = root.lookupType('millrace.bundle.v1.Bundle');

/**
 * One archive of a program's files: equal files give equal bytes, whatever their order.
 * @throws MillraceError BAD_REQUEST for a path that leaves the archive or occurs twice, MESSAGE_TOO_LARGE.
 */
export function packBundle(files: readonly BundleFile[]): Uint8Array {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  checkFiles(sorted);
  const bytes = bundleType.encode({ format: FORMAT, files: sorted }).finish();
  checkSize(bytes.length);
  return bytes;
}

/** The inverse of packBundle, with the same checks: the archive may come from anybody. Contents are views of `bytes`. */
export function unpackBundle(bytes: Uint8Array): readonly BundleFile[] {
  checkSize(bytes.length);
  let bundle: { readonly format: number; readonly files: readonly BundleFile[] };
  try {
    bundle = bundleType.toObject(bundleType.decode(bytes), { defaults: true, arrays: true }) as typeof bundle;
  } catch (error) {
    throw new MillraceError('BAD_REQUEST', `the bytes are no program archive: ${messageOf(error)}`);
  }
  if (bundle.format !== FORMAT)
    throw new MillraceError('BAD_REQUEST', `the bytes are no program archive of format ${FORMAT}`);
  checkFiles(bundle.files);
  return bundle.files;
}

function checkSize(bytes: number): void {
  if (bytes <= BUNDLE_BYTES_MAX) return;
  throw new MillraceError(
    'MESSAGE_TOO_LARGE',
    `the program has ${bytes} bytes; ${BUNDLE_BYTES_MAX} are allowed`,
    { remedy: 'Read large data at run time instead of importing it.' },
  );
}

function checkFiles(files: readonly BundleFile[]): void {
  if (files.length > BUNDLE_FILES_MAX) {
    throw new MillraceError(
      'MESSAGE_TOO_LARGE',
      `the program has ${files.length} files; ${BUNDLE_FILES_MAX} are allowed`,
    );
  }
  const seen = new Set<string>();
  for (const { path } of files) {
    if (!isContainedPath(path) || seen.has(path))
      throw new MillraceError('BAD_REQUEST', `${JSON.stringify(path)} is no path of a program archive`);
    seen.add(path);
  }
}

/** Whether a path stays inside whatever directory it is joined to, on every platform. */
function isContainedPath(path: string): boolean {
  if (path.length > 1024 || /[\\:\0]/.test(path)) return false;
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

import { createHash } from 'node:crypto';

/** The name of anything that is addressed by its content (programs, snapshots, broadcasts): sha-256 in hex. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

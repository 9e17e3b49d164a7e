import { fileURLToPath } from 'node:url';

/** The module of application hosts: the source beside this source, or the build beside this build. */
export function hostEntry(): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`../application/host-main${extension}`, import.meta.url));
}

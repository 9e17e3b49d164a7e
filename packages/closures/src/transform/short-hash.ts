import { hash } from 'node:crypto';

/** 48 bits of content: short on the wire, and the bundler checks that they differ. */
export function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 8);
}

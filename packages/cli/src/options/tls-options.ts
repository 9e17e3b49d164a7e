import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigEntry, messageOf, optional, text } from '@millrace/common';
import type { TlsOptions } from '@millrace/proto';
import { UsageError } from '../usage-error.ts';

/** TLS of the cluster's own connections, as PEM files. */
export const TLS_FLAGS: {
  readonly tlsCa: ConfigEntry<string | undefined>;
  readonly tlsCert: ConfigEntry<string | undefined>;
  readonly tlsKey: ConfigEntry<string | undefined>;
} = {
  tlsCa: optional(
    text({ doc: 'PEM file of the authority that the other side must be certified by', unit: 'path' }),
  ),
  tlsCert: optional(text({ doc: "PEM file of this side's certificate", unit: 'path' })),
  tlsKey: optional(text({ doc: "PEM file of the certificate's key", unit: 'path' })),
};

export type TlsFlags = { readonly [K in keyof typeof TLS_FLAGS]: string | undefined };

/** @throws UsageError naming every file that cannot be read. */
export function readTls(flags: TlsFlags, cwd: string): TlsOptions | undefined {
  const problems: string[] = [];
  const read = (flag: string, file: string | undefined): string | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(resolve(cwd, file), 'utf8');
    } catch (error) {
      problems.push(`--${flag}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const ca = read('tls-ca', flags.tlsCa);
  const cert = read('tls-cert', flags.tlsCert);
  const key = read('tls-key', flags.tlsKey);
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    problems.push('give both --tls-cert and --tls-key, or neither');
  }
  if (problems.length > 0) throw new UsageError(problems);
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

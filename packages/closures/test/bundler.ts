import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type ErrorRecord, MillraceError } from '@millrace/common';
import type { BundleOptions, JobBundle } from '../src/index.ts';

export interface BundleRequest {
  readonly id: number;
  readonly entry: string;
  readonly options: BundleOptions;
}

export interface BundleReply {
  readonly id: number;
  readonly bundle?: JobBundle;
  readonly error?: ErrorRecord;
}

/** `bundleJob` in a process of its own. */
export class Bundler {
  readonly #child: ChildProcess;
  #requests = 0;

  constructor(options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}) {
    this.#child = fork(join(import.meta.dirname, 'bundler-process.ts'), [], {
      execArgv: ['--conditions=@millrace/source'],
      serialization: 'advanced',
      ...options,
    });
  }

  async bundle(entry: string, options: BundleOptions = {}): Promise<JobBundle> {
    const id = this.#requests++;
    this.#child.send({ id, entry, options } satisfies BundleRequest);
    for (;;) {
      const [reply] = (await once(this.#child, 'message')) as [BundleReply];
      if (reply.id !== id) continue;
      if (reply.bundle !== undefined) return reply.bundle;
      throw MillraceError.fromRecord(reply.error as ErrorRecord);
    }
  }

  close(): void {
    this.#child.disconnect();
  }
}

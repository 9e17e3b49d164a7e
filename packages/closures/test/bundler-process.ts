/** Bundles on request: rolldown's native part does not take objects of jest's realm. */
import { bundleJob } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import type { BundleReply, BundleRequest } from './bundler.ts';

async function answer({ id, entry, options }: BundleRequest): Promise<BundleReply> {
  try {
    return { id, bundle: await bundleJob(entry, options) };
  } catch (error) {
    return { id, error: MillraceError.toRecord(error) };
  }
}

process.on('message', (request: BundleRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));

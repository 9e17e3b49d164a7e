// Bundles argv[2], if given, and prints the time since the process began, in ms.
import { enableCompileCache } from 'node:module';

// As the command line does.
enableCompileCache();
const [, , entry] = process.argv;
if (entry !== undefined) {
  const { bundleJob } = await import('@millrace/closures/bundle');
  await bundleJob(entry);
}
process.stdout.write(String(performance.now()));

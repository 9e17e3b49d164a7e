import { join } from 'node:path';
import { silentLogger } from '@millrace/common';
import { ApplicationLog } from '../src/application/log/application-log.ts';
import { applicationLogFiles } from '../src/application/log/log-files.ts';

/** The log of the application "app" of a driver with that state directory: for what its hosts would have written. */
export function applicationLogOf(stateDir: string): ApplicationLog {
  return ApplicationLog.open({
    files: applicationLogFiles(join(stateDir, 'applications'), 'app'),
    logger: silentLogger,
    segmentBytes: 4096,
    segmentsRetained: 2,
    historyMs: 0,
  });
}

import { applicationLogFiles } from '../log/log-files.ts';
import { applicationStateFiles, stateSource } from '../state/state-files.ts';
import type { CheckpointStore } from './checkpoint-store.ts';

/** `applicationsDir`/NAME/log, with the state in it. */
export function directoryCheckpointStore(applicationsDir: string): CheckpointStore {
  const readState = stateSource(applicationsDir);
  return {
    where: (application) => applicationLogFiles(applicationsDir, application).where,
    open: async (application) => ({
      log: applicationLogFiles(applicationsDir, application),
      state: applicationStateFiles(applicationsDir, application),
    }),
    readState: async (...what) => readState(...what),
    close: async () => undefined,
  };
}

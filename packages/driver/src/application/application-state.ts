import type { TransitionTable } from '@millrace/common';

/** CREATED: nothing was looked at. VALIDATED: it can run. DRAINING: the running batch is its last. */
export type ApplicationState = 'CREATED' | 'VALIDATED' | 'RUNNING' | 'DRAINING' | 'ENDED';

export const APPLICATION_TRANSITIONS: TransitionTable<ApplicationState> = {
  CREATED: ['VALIDATED', 'ENDED'],
  VALIDATED: ['RUNNING', 'ENDED'],
  RUNNING: ['DRAINING', 'ENDED'],
  DRAINING: ['ENDED'],
  ENDED: [],
};

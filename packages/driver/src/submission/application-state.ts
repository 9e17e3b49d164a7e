import type { TransitionTable } from '@millrace/common';

export type ApplicationState = 'SUBMITTED' | 'STARTING' | 'RUNNING' | 'STOPPING' | 'STOPPED' | 'FAILED';

export const APPLICATION_TRANSITIONS: TransitionTable<ApplicationState> = {
  SUBMITTED: ['STARTING', 'STOPPING', 'STOPPED', 'FAILED'],
  STARTING: ['RUNNING', 'STARTING', 'STOPPING', 'STOPPED', 'FAILED'],
  // STARTING: its host crashed and is started again.
  RUNNING: ['STARTING', 'STOPPING', 'STOPPED', 'FAILED'],
  STOPPING: ['STOPPED', 'FAILED'],
  // A new run of the same name.
  STOPPED: ['SUBMITTED'],
  FAILED: ['SUBMITTED'],
};

export function isOver(state: ApplicationState): boolean {
  return state === 'STOPPED' || state === 'FAILED';
}

import type { JobOptions, StreamGraph, StreamReach } from '@millrace/api/internal';
import type { Logger } from '@millrace/common';
import type { ApplicationEvent } from '../../application-events.ts';
import type { ApplicationLog } from '../log/application-log.ts';
import type { StateFiles } from './state-files.ts';
import { StateKeeper } from './state-keeper.ts';
import { unusedState } from './state-problems.ts';

/**
 * The keeper of the states that the log names; undefined without files to keep them in. Tells of states that no operator uses.
 * @throws MillraceError STATE_CORRUPT, VERSION_MISMATCH.
 */
export function openStates(options: {
  readonly graph: StreamGraph;
  readonly reach: StreamReach;
  readonly dropped: JobOptions['dropState'];
  readonly files: StateFiles | undefined;
  readonly log: ApplicationLog;
  readonly logger: Logger;
  readonly event: (event: ApplicationEvent) => void;
}): StateKeeper | undefined {
  const { graph, reach, dropped, files, log, logger, event } = options;
  if (!files) return undefined;
  const states = StateKeeper.open({
    files,
    epoch: log.epoch,
    logger,
    states: log.state.state,
    used: new Set(graph.stateNames.keys()),
    dropped,
    horizonMs: reach.stateHorizonMs,
  });
  const text = unusedState(states.unused);
  if (text !== undefined) event({ kind: 'notice', level: 'warn', text });
  return states;
}

import type { JobWarning } from '@millrace/closures';
import type { ErrorRecord } from '@millrace/common';

/** What a check that asks neither a cluster nor Kafka says of a job. */
export interface EvaluatedJob {
  /** Each by itself, in order. */
  readonly problems: readonly ErrorRecord[];
  /** All of them as one text; '' for a sound job. */
  readonly text: string;
  readonly warnings: readonly JobWarning[];
}

import type { ErrorRecord } from '@millrace/common';
import { type BatchCompleted, recordFromWire, type ApplicationEvent as WireEvent } from '@millrace/proto';

/** SUBMITTED STARTING RUNNING STOPPING STOPPED FAILED; a newer driver may know more. */
export type ApplicationState = string;

/** A named accumulator that a batch's tasks added to. */
export interface AccumulatorChange {
  readonly name: string;
  /** A sum, or how many members it has; of the job's own kind a text. */
  readonly value: number | string;
  /** This batch's part of a number. */
  readonly added?: number;
}

export type BatchSummary = Readonly<Omit<BatchCompleted, 'accumulators'>> & {
  readonly accumulators: readonly AccumulatorChange[];
};

interface EventBase {
  /** Grows by one an event; what a reconnecting client resumes after. */
  readonly sequence: number;
  /** ms since 1970. */
  readonly at: number;
  readonly application: string;
}

/** What an application told its driver. */
export type ApplicationEvent = EventBase &
  (
    | { readonly kind: 'state'; readonly state: ApplicationState; readonly error: ErrorRecord | undefined }
    | { readonly kind: 'batch'; readonly batch: BatchSummary }
    | { readonly kind: 'batch-failed'; readonly batchTime: number; readonly error: ErrorRecord | undefined }
    | { readonly kind: 'output'; readonly text: string; readonly error: boolean }
    | { readonly kind: 'gap'; readonly dropped: number }
    | { readonly kind: 'notice'; readonly level: string; readonly text: string }
  );

/** Undefined for a kind of event that this version does not know. */
export function eventFromWire(wire: WireEvent): ApplicationEvent | undefined {
  const { sequence, at, application } = wire;
  const base = { sequence, at, application };
  if (wire.state) {
    return { ...base, kind: 'state', state: wire.state.state, error: optionalError(wire.state.error) };
  }
  if (wire.batchCompleted) return { ...base, kind: 'batch', batch: batchFromWire(wire.batchCompleted) };
  if (wire.batchFailed) {
    const { batchTime, error } = wire.batchFailed;
    return { ...base, kind: 'batch-failed', batchTime, error: optionalError(error) };
  }
  if (wire.output) return { ...base, kind: 'output', text: wire.output.text, error: wire.output.error };
  if (wire.gap) return { ...base, kind: 'gap', dropped: wire.gap.dropped };
  if (wire.notice) return { ...base, kind: 'notice', level: wire.notice.level, text: wire.notice.text };
  return undefined;
}

function batchFromWire(batch: BatchCompleted): BatchSummary {
  const accumulators = batch.accumulators.map(({ name, value, added }) =>
    added === '' ? { name, value } : { name, value: Number(value), added: Number(added) },
  );
  return { ...batch, accumulators };
}

function optionalError(
  info: Parameters<typeof recordFromWire>[0] | null | undefined,
): ErrorRecord | undefined {
  return info ? recordFromWire(info) : undefined;
}

/** Nothing follows of this run of the application. */
export function isFinalState(state: ApplicationState): boolean {
  return state === 'STOPPED' || state === 'FAILED';
}

import { hash } from 'node:crypto';
import { MillraceError } from '@millrace/common';
import { captureErrors, captureSummary } from '../errors/capture-error.ts';
import { captureWarnings } from '../errors/capture-warnings.ts';
import type { JobWarning } from '../errors/job-warning.ts';
import { CaptureGraph } from './capture-graph.ts';
import { functionPlace } from './function-place.ts';
import { settleProblems } from './settle-problems.ts';
import { tieCycles, type WrittenSnapshot, writeSnapshot } from './snapshot-writer.ts';

export interface CaptureOptions {
  /** The operation that needs the function, for messages: `map`. */
  readonly where?: string;
}

/** A function and everything it captures, as bytes. */
export interface CapturedClosure {
  /** Content hash (hex) of `bytes`. */
  readonly hash: string;
  /** Canonical: the same values give the same bytes. */
  readonly bytes: Uint8Array;
  /** Where the function was written: `job.ts:12:8`; its name when that is not known. */
  readonly label: string;
  readonly broadcastIds: readonly string[];
  readonly accumulatorIds: readonly string[];
  /** What the author may not have meant: computed at each call. */
  readonly warnings: () => readonly JobWarning[];
}

/**
 * Takes a copy, now, of `fn` and of all that it captures.
 * Throws MillraceError CLOSURE_NOT_SHIPPABLE, CLOSURE_CAPTURE, CLOSURE_WRITES_CAPTURE, CLOSURE_USE_BEFORE_INIT or
 * CLOSURE_UNTRANSFORMED, with a code frame; when there are several problems, an error that lists all of them.
 */
export function captureClosure(fn: unknown, options: CaptureOptions = {}): CapturedClosure {
  if (typeof fn !== 'function') {
    const given = fn === null ? 'null' : typeof fn;
    throw new MillraceError(
      'CLOSURE_NOT_SHIPPABLE',
      `${options.where ?? 'The operator'} needs a function, not ${given}`,
    );
  }
  const graph = buildGraph(fn, options.where);
  const written = write(graph);
  const place = functionPlace(fn);
  const label = place === undefined ? fn.name || '(unknown)' : `${place.file}:${place.line}:${place.column}`;
  return {
    hash: hashOf(written.bytes),
    bytes: written.bytes,
    label,
    broadcastIds: [...graph.broadcastIds],
    accumulatorIds: [...graph.accumulatorIds],
    warnings: () => captureWarnings(written, options.where),
  };
}

function buildGraph(fn: object, where: string | undefined): CaptureGraph {
  try {
    const graph = new CaptureGraph(fn, factoryKey);
    const problems = graph.hasProblems ? settleProblems(graph.root, captureSummary) : [];
    if (problems.length > 0) throw captureErrors(problems, where);
    return graph;
  } catch (error) {
    throw asCoded(error);
  }
}

function write(graph: CaptureGraph): WrittenSnapshot {
  try {
    if (graph.mayHaveCycles) tieCycles(graph.root);
    return writeSnapshot(graph.root);
  } catch (error) {
    throw asCoded(error);
  }
}

/** A getter of the user may throw anything; a chain of many thousand closures may be too deep. */
function asCoded(error: unknown): MillraceError {
  return MillraceError.from(error, 'CLOSURE_CAPTURE', {
    remedy: 'Reading the captured values threw: capture simpler values.',
  });
}

const keysUnderWay = new Set<unknown>();

/** '' when the factory itself cannot be captured: the graph around it reports that, with its path. */
function factoryKey(factory: unknown): string {
  // A factory whose value calls its own getter: inside of its key the getter has none.
  if (typeof factory !== 'function' || keysUnderWay.has(factory)) return '';
  keysUnderWay.add(factory);
  try {
    const graph = new CaptureGraph(factory, factoryKey);
    if (graph.hasProblems && settleProblems(graph.root, captureSummary).length > 0) return '';
    return hashOf(write(graph).bytes).slice(0, 16);
  } finally {
    keysUnderWay.delete(factory);
  }
}

function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, 32);
}

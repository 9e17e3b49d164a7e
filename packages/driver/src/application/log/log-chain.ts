import { messageOf } from '@millrace/common';
import type { Findings } from './log-check.ts';
import type { LogFiles } from './log-files.ts';
import type { FencePoint, LogRecord } from './log-record.ts';
import { decodeSegment, type SegmentContent } from './record-codec.ts';
import { type SegmentName, segmentsOf } from './segment-name.ts';

/** A segment, and those of its records that count. */
export interface ChainedSegment extends SegmentName {
  readonly records: SegmentContent['records'];
}

export interface LogChain {
  /** Oldest first. */
  readonly segments: readonly ChainedSegment[];
  readonly files: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly fenced: number;
  readonly tornBytes: number;
}

interface FoundSegment extends SegmentName {
  readonly content: SegmentContent;
  readonly size: number;
}

/** Which records count: the newest segment with an anchor, what its fence names, and so on, each up to its fence point. */
export function chainOf(files: LogFiles, findings: Findings): LogChain {
  const names = segmentsOf(files.list());
  const found = names.flatMap((name) => readSegment(files, name, findings) ?? []);
  const walk = new ChainWalk(findings, found.length < names.length);
  for (const segment of found.toReversed()) walk.visit(segment);
  // Starts that died before their anchor leave empty segments, from the first epoch on.
  if (walk.chain.length === 0 && names.length > 0 && names[0]?.epoch !== 1)
    findings.add(files.where, 'no segment has an anchor');
  return {
    segments: walk.chain.toReversed(),
    files: names.length,
    firstEpoch: names[0]?.epoch ?? 0,
    lastEpoch: names.at(-1)?.epoch ?? 0,
    fenced: walk.fenced,
    tornBytes: found.reduce((sum, { size, content }) => sum + size - content.bytes, 0),
  };
}

function readSegment(files: LogFiles, name: SegmentName, findings: Findings): FoundSegment | undefined {
  try {
    const bytes = files.read(name.name);
    return { ...name, content: decodeSegment(bytes, name.name), size: bytes.length };
  } catch (error) {
    findings.add(name.name, messageOf(error));
    return undefined;
  }
}

/** From the newest segment back. */
class ChainWalk {
  readonly chain: ChainedSegment[] = [];
  fenced = 0;
  readonly #findings: Findings;
  /** What is missing from the chain has been told already. */
  readonly #isDamaged: boolean;
  #next: { readonly fence: FencePoint; readonly by: SegmentName } | undefined;
  /** The log begins there. */
  #first: SegmentName | undefined;
  #isBroken = false;

  constructor(findings: Findings, isDamaged: boolean) {
    this.#findings = findings;
    this.#isDamaged = isDamaged;
  }

  visit(segment: FoundSegment): void {
    const { name, content } = segment;
    const [first] = content.records;
    if (this.#isBroken) return;
    if (first === undefined) {
      // Only the first segment of an epoch can be: the others appear under their name when they have an anchor.
      if (segment.segment > 1) this.#findings.add(name, 'it has no anchor');
      return;
    }
    if (this.#first) {
      this.#findings.add(this.#first.name, `it begins a log of its own, though ${name} was there before it`);
      this.#isBroken = true;
    } else if (this.#next === undefined || isAt(segment, this.#next.fence)) this.#take(segment, first.record);
    else if (isBehind(segment, this.#next.fence)) this.fenced += content.records.length;
    else {
      this.#miss(`older segments than that, as ${name}, are there`);
      this.#isBroken = true;
    }
  }

  #take(segment: FoundSegment, anchor: LogRecord): void {
    const { name, epoch, content } = segment;
    const bytes = this.#next?.fence.bytes ?? content.bytes;
    const records = content.records.filter(({ end }) => end <= bytes);
    if (this.#next) this.#checkEnd(segment, this.#next.fence, this.#next.by, records);
    this.fenced += content.records.length - records.length;
    this.chain.push({ name, epoch, segment: segment.segment, records });
    this.#next = undefined;
    if (anchor.kind !== 'anchor') {
      this.#findings.add(`${name} at byte 0`, 'it does not begin with an anchor');
      this.#isBroken = true;
    } else if (anchor.fence) this.#follow(segment, anchor.fence);
    else this.#first = segment;
  }

  #follow(by: SegmentName, fence: FencePoint): void {
    const isRotated = fence.epoch === by.epoch && fence.segment === by.segment - 1;
    if (isRotated || (fence.epoch < by.epoch && by.segment === 1)) this.#next = { fence, by };
    else {
      this.#findings.add(
        `${by.name} at byte 0`,
        `it goes on behind segment ${fence.segment} of epoch ${fence.epoch}, which cannot be before it`,
      );
      this.#isBroken = true;
    }
  }

  #checkEnd(
    { name, epoch, content, size }: FoundSegment,
    { bytes }: FencePoint,
    by: SegmentName,
    records: SegmentContent['records'],
  ): void {
    if (bytes > content.bytes)
      this.#findings.add(
        name,
        `it ends at byte ${content.bytes}, before byte ${bytes}, where ${by.name} goes on`,
      );
    else if (records.at(-1)?.end !== bytes)
      this.#findings.add(name, `byte ${bytes}, where ${by.name} goes on, is within a record`);
    else if (epoch === by.epoch && size > bytes)
      this.#findings.add(name, `it was written behind byte ${bytes}, after it had been rotated`);
  }

  #miss(though: string): void {
    if (this.#isDamaged || !this.#next) return;
    const { fence, by } = this.#next;
    this.#findings.add(
      by.name,
      `it goes on behind segment ${fence.segment} of epoch ${fence.epoch}, which is missing, though ${though}`,
    );
  }
}

function isAt({ epoch, segment }: SegmentName, fence: FencePoint): boolean {
  return epoch === fence.epoch && segment === fence.segment;
}

function isBehind({ epoch, segment }: SegmentName, fence: FencePoint): boolean {
  return epoch > fence.epoch || (epoch === fence.epoch && segment > fence.segment);
}

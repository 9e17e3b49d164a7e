/** A file of the log. The first segment of an epoch is made exclusively: whoever makes it holds the epoch. */
export interface SegmentName {
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly segment: number;
  readonly name: string;
}

const PATTERN = /^epoch-(\d{8})-(\d{6})\.log$/;

export function segmentName(epoch: number, segment: number): string {
  return `epoch-${String(epoch).padStart(8, '0')}-${String(segment).padStart(6, '0')}.log`;
}

/** The highest epoch that these file names tell of; 0: none was ever taken. */
export function newestEpoch(names: readonly string[]): number {
  return segmentsOf(names).at(-1)?.epoch ?? 0;
}

/** The segments among these file names, oldest first. */
export function segmentsOf(names: readonly string[]): readonly SegmentName[] {
  return names
    .flatMap((name) => {
      const match = PATTERN.exec(name);
      return match ? [{ name, epoch: Number(match[1]), segment: Number(match[2]) }] : [];
    })
    .toSorted((a, b) => a.epoch - b.epoch || a.segment - b.segment);
}

/**
 * The independent judge of delivery: it knows nothing of the engine. A producer wrote (partition, sequence) with sequence 0, 1, 2 …
 * in each partition; a job wrote what it saw, batch by batch. Did every record arrive once, in order?
 */
export interface LedgerEntry {
  readonly partition: number;
  readonly sequence: number;
}

export interface LedgerVerdict {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** The first few findings, for people. */
  readonly findings: readonly string[];
}

const FINDINGS_MAX = 20;

/**
 * `produced`: how many records each partition was given. `batches`: what was seen, in batch order; within a batch in partition order as the job wrote it.
 */
export function checkLedger(
  produced: ReadonlyMap<number, number>,
  batches: ReadonlyArray<readonly LedgerEntry[]>,
): LedgerVerdict {
  const findings: string[] = [];
  const note = (text: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push(text);
  };
  let duplicated = 0;
  let reordered = 0;
  let strange = 0;
  const seen = new Map<number, Set<number>>([...produced.keys()].map((partition) => [partition, new Set()]));
  const highest = new Map<number, number>();
  for (const [index, batch] of batches.entries()) {
    for (const { partition, sequence } of batch) {
      const count = produced.get(partition);
      if (count === undefined || sequence < 0 || sequence >= count) {
        strange += 1;
        note(`batch ${index} has ${partition}/${sequence}, which nobody produced`);
        continue;
      }
      const sequences = seen.get(partition) as Set<number>;
      if (sequences.has(sequence)) {
        duplicated += 1;
        note(`batch ${index} has ${partition}/${sequence} again`);
        continue;
      }
      sequences.add(sequence);
      if (sequence < (highest.get(partition) ?? -1)) {
        reordered += 1;
        note(`batch ${index} has ${partition}/${sequence} after ${highest.get(partition)}`);
      } else highest.set(partition, sequence);
    }
  }
  let lost = 0;
  for (const [partition, count] of produced) {
    const sequences = seen.get(partition) as Set<number>;
    lost += count - sequences.size;
    for (let sequence = 0; sequence < count && findings.length < FINDINGS_MAX; sequence++) {
      if (!sequences.has(sequence)) note(`${partition}/${sequence} never arrived`);
    }
  }
  return { lost, duplicated: duplicated + strange, reordered, findings };
}

/** "OK", or "LOST n · DUP n · REORDER n" with the first findings. */
export function verdictText(verdict: LedgerVerdict): string {
  const { lost, duplicated, reordered, findings } = verdict;
  if (lost + duplicated + reordered === 0) return 'OK';
  const parts = [
    ...(lost > 0 ? [`LOST ${lost}`] : []),
    ...(duplicated > 0 ? [`DUP ${duplicated}`] : []),
    ...(reordered > 0 ? [`REORDER ${reordered}`] : []),
  ];
  return `${parts.join(' · ')}\n${findings.join('\n')}`;
}

import type { CheckedPartition, LogCheck } from '@millrace/driver';
import { grouped, shortBytes } from './quantity.ts';
import { textTable } from './text-table.ts';

/** The stable JSON form. What is not known is null. */
export function logCheckJson(check: LogCheck): Readonly<Record<string, unknown>> {
  const { firstBatchTime = null, lastCommitted = null, pending = null, state = null } = check;
  return {
    ...check,
    ok: check.findings.length === 0,
    firstBatchTime,
    lastCommitted,
    pending,
    state,
  };
}

const FINDINGS_SHOWN = 20;

/** What was looked at, and what is wrong with it. */
export function logCheckText(check: LogCheck, verbose: boolean): string {
  const { findings } = check;
  const shown = verbose ? findings : findings.slice(0, FINDINGS_SHOWN);
  const others = check.more + findings.length - shown.length;
  const verdict =
    findings.length === 0
      ? ['✓ each offset is in one committed range or one logged move; each batch time has one set of ranges']
      : [
          `✗ ${grouped(findings.length + check.more)} ${findings.length === 1 ? 'thing is' : 'things are'} wrong`,
          ...shown.map(({ where, what }) => `  ${where}: ${what}`),
          ...(others > 0 ? [`  … and ${grouped(others)} more (--verbose)`] : []),
        ];
  return `${[...heading(check), ...partitionLines(check.partitions), ...verdict].join('\n')}\n`;
}

function heading(check: LogCheck): readonly string[] {
  const { where, segments, records, firstEpoch, lastEpoch, fenced, tornBytes, committed, resumed, pending } =
    check;
  const epochs = firstEpoch === lastEpoch ? `epoch ${lastEpoch}` : `epochs ${firstEpoch}–${lastEpoch}`;
  const facts = [`${segments} segments`, epochs, `${grouped(records)} records`];
  if (fenced > 0) facts.push(`${grouped(fenced)} of fenced epochs, which do not count`);
  if (tornBytes > 0) facts.push(`${grouped(tornBytes)} bytes of writes that were cut off`);
  const batches = [`${grouped(committed)} batches committed${span(check)}`];
  if (resumed > 0) batches.push(`${grouped(resumed)} of them planned by an earlier epoch`);
  if (check.givenUp > 0) batches.push(`${grouped(check.givenUp)} given up`);
  if (pending !== undefined) batches.push(`${iso(pending)} planned and not committed`);
  return [where, facts.join(' · '), batches.join(' · '), ...stateLines(check)];
}

function span({ firstBatchTime, lastCommitted }: LogCheck): string {
  if (firstBatchTime === undefined || lastCommitted === undefined) return '';
  return firstBatchTime === lastCommitted
    ? ` (${iso(lastCommitted)})`
    : ` (${iso(firstBatchTime)} – ${iso(lastCommitted)})`;
}

function stateLines({ state }: LogCheck): readonly string[] {
  if (!state) return [];
  const { operators, keys, sections, files, bytes, unnamed } = state;
  const left = unnamed > 0 ? ` · ${grouped(unnamed)} files that nothing names` : '';
  return [
    `keyed state of ${operators} operators: ${grouped(keys)} keys in ${grouped(sections)} sections of ${grouped(files)} files, ${shortBytes(bytes)}${left}`,
  ];
}

function partitionLines(partitions: readonly CheckedPartition[]): readonly string[] {
  if (partitions.length === 0) return [];
  const number = (head: string): { readonly head: string; readonly numeric: true } => ({
    head,
    numeric: true,
  });
  const heads = [
    number('INPUT'),
    { head: 'TOPIC' },
    ...['PARTITION', 'FROM', 'UNTIL', 'READ', 'SKIPPED', 'AGAIN'].map(number),
  ];
  return textTable(
    heads,
    partitions.map(({ input, topic, partition, from, until, read, skipped, repeated }) => [
      String(input),
      topic,
      ...[partition, from, until, read, skipped.request + skipped['data-loss'], repeated].map(String),
    ]),
  );
}

function iso(batchTime: number): string {
  return new Date(batchTime).toISOString();
}

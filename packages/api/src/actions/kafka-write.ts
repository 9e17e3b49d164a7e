import type { ActionFragmentContext } from '../lineage/action-definition.ts';

/** The lambdas of a kafkaWrite action, in the order of its numbers. */
export const KAFKA_WRITE_PARTS = [
  'record',
  'topic',
  'key',
  'value',
  'partition',
  'timestamp',
  'headers',
  'partitioner',
  'keyEncode',
  'valueEncode',
] as const;

export type KafkaWritePart = (typeof KAFKA_WRITE_PARTS)[number];

/** What has no lambda is asked of the sink. One call site a lambda, so that V8 inlines it. */
export function kafkaWrite({ row, fn, number }: ActionFragmentContext): string {
  const of = (part: KafkaWritePart, otherwise: string): string => {
    const at = Number(number(KAFKA_WRITE_PARTS.indexOf(part)));
    return at === 0 ? otherwise : `${fn(at - 1)}(${row})`;
  };
  const record = of('record', '');
  if (record !== '') return `sink.writeRecord(${record});`;
  const parts = [
    of('topic', 'sink.topic'),
    of('key', `sink.keyOf(${row})`),
    of('value', `sink.valueOf(${row})`),
    of('partition', 'undefined'),
    of('timestamp', 'undefined'),
    of('headers', 'undefined'),
  ];
  return `sink.write(${parts.join(', ')});`;
}

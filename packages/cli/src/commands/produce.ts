import { integer, optional, resolveConfig, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { ensureTopic } from '../demo/ensure-topic.ts';
import { linesOf } from '../demo/input-lines.ts';
import { addFlags, resolveFlags, withKafkaBrokers } from '../options/flags.ts';

const SCHEMA = {
  brokers: text({ doc: 'the Kafka cluster (also env KAFKA_BROKERS)', unit: 'host:port,…' }),
  partitions: integer({ doc: 'partitions of a topic that is created', default: 3, min: 1, max: 1000 }),
  keySeparator: optional(
    text({ doc: 'what ends the key of each line; default: no keys, and partitions in turn', unit: 'text' }),
  ),
};

/** Test records for a job, without Kafka's own tools: the embedded broker comes with none. */
export function addProduce(program: Command, cli: CliContext): void {
  const command = program
    .command('produce <topic>')
    .description(
      'send each line of standard input as a record to a topic, which is created when it is missing',
    )
    .option('--verbose', 'stacks of errors')
    .action(async (topic: string, given: Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, withKafkaBrokers(cli.env));
      const { connectKafka, KAFKA_OPTIONS } = await import('@millrace/kafka');
      const options = { brokers: flags.brokers, clientId: 'millrace-produce' };
      const kafka = connectKafka(resolveConfig(KAFKA_OPTIONS, options, '--brokers'));
      try {
        if (await ensureTopic(kafka, topic, flags.partitions))
          cli.terminal.err(`created ${topic} with ${flags.partitions} partitions\n`);
        const [found] = await kafka.topics([topic]);
        const partitions = found?.partitions.length ?? 1;
        const producer = kafka.producer();
        let sent = 0;
        for await (const lines of linesOf(cli.input())) {
          const records = lines.map((line, index) => {
            const record = recordOf(line, flags.keySeparator);
            // In turn, so that a few lines are spread, too: Kafka would put records without a key that come together into one partition.
            return record.key === null ? { ...record, partition: (sent + index) % partitions } : record;
          });
          await producer.send(topic, records);
          sent += lines.length;
        }
        await producer.close();
        cli.terminal.err(`sent ${sent} record${sent === 1 ? '' : 's'} to ${topic}\n`);
      } finally {
        await kafka.close();
      }
    });
  addFlags(command, SCHEMA);
}

/** A line without the separator has no key. */
function recordOf(
  line: string,
  separator: string | undefined,
): { readonly key: string | null; readonly value: string } {
  const at = separator === undefined ? -1 : line.indexOf(separator);
  if (separator === undefined || at < 0) return { key: null, value: line };
  return { key: line.slice(0, at), value: line.slice(at + separator.length) };
}

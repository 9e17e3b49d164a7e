import {
  createLogger,
  flag,
  integer,
  optional,
  resolveConfig,
  seededRandom,
  systemRandom,
  text,
  withDeadline,
} from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { ensureTopic } from '../demo/ensure-topic.ts';
import { addFlags, resolveFlags, withKafkaBrokers } from '../options/flags.ts';
import { announceReady } from '../processes/parent-link.ts';

const DELETE_MS = 5_000;

const SCHEMA = {
  brokers: text({ doc: 'the Kafka cluster', unit: 'host:port,…' }),
  topic: text({ doc: 'where the clicks go; created when it is missing', default: 'page-views' }),
  partitions: integer({ doc: 'partitions of a topic that is created', default: 4, min: 1, max: 1000 }),
  rate: integer({ doc: 'clicks a second', default: 1000, min: 1, max: 200_000 }),
  users: integer({ doc: 'visitors there are', default: 5000, min: 1, max: 1_000_000 }),
  deleteCreated: flag({ doc: 'delete the topic at the end, if it was created here', default: false }),
  seed: optional(integer({ doc: 'makes the clicks the same in every run', max: 2 ** 32 - 1 })),
};

/** The source of the demonstration's events, as a process of its own. Also a service of deploy/compose.yaml. */
export function addGenerateClicks(program: Command, cli: CliContext): void {
  const command = program
    .command('generate-clicks')
    .description('send made-up page views of a shop to a topic until Ctrl-C: something to try a job on')
    .action(async (given: Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, withKafkaBrokers(cli.env));
      const [{ connectKafka, KAFKA_OPTIONS }, { ClickGenerator }, { produceClicks }] = await Promise.all([
        import('@millrace/kafka'),
        import('../demo/click-generator.ts'),
        import('../demo/click-producer.ts'),
      ]);
      const logger = createLogger({ name: 'clicks' });
      const options = { brokers: flags.brokers, clientId: 'millrace-clicks' };
      const kafka = connectKafka(resolveConfig(KAFKA_OPTIONS, options, '--brokers'));
      const unlisten = cli.interrupts.listen(() => undefined);
      try {
        const { topic, rate } = flags;
        const created = await ensureTopic(kafka, topic, flags.partitions);
        announceReady(flags.brokers);
        logger.info({ topic, rate, created }, 'sending clicks');
        const random = flags.seed === undefined ? systemRandom : seededRandom(flags.seed);
        const generator = new ClickGenerator({ random, users: flags.users });
        const { signal } = cli.interrupts;
        const producer = kafka.producer();
        const sent = await produceClicks({
          producer,
          generator,
          topic,
          rate,
          clock: cli.clock,
          signal,
          logger,
        });
        logger.info({ topic, sent }, 'stopped sending');
        await producer.close();
        if (created && flags.deleteCreated) {
          // A broker that ended first has taken the topic with it.
          await withDeadline(kafka.deleteTopic(topic), DELETE_MS, `deleting ${topic}`, cli.clock);
        }
      } finally {
        unlisten();
        await kafka.close();
      }
    });
  addFlags(command, SCHEMA);
}

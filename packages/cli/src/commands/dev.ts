import { join, resolve } from 'node:path';
import { integer, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { commandName } from '../command-name.ts';
import { renderError } from '../error-report.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags, withKafkaBrokers } from '../options/flags.ts';
import { LocalCluster } from '../processes/local-cluster.ts';
import { processTable } from '../processes/process-table.ts';
import { watchChildren } from '../processes/watch-children.ts';

const SCHEMA = {
  brokers: optional(
    text({
      doc: 'a Kafka that runs (also env KAFKA_BROKERS); default: an embedded broker',
      unit: 'host:port,…',
    }),
  ),
  brokerPort: integer({ doc: 'port of the embedded broker; 0: a free one', default: 9092, max: 65_535 }),
  port: integer({ doc: 'port of the driver; 0: a free one', default: 7077, max: 65_535 }),
  executors: integer({ doc: 'executor processes', default: 2, min: 1, max: 64 }),
  slots: integer({ doc: 'task slots of each executor', default: 1, min: 1, max: 256 }),
  stateDir: text({
    doc: 'where applications, logs and programs are kept',
    unit: 'path',
    default: '.millrace/dev',
  }),
};

export function addDev(program: Command, cli: CliContext): void {
  const command = program
    .command('dev')
    .description('run a cluster on this machine: broker, driver and executors, each a process')
    .action((given: OutputFlags & Record<string, unknown>) => dev(cli, given));
  addOutputFlags(addFlags(command, SCHEMA), 'addresses and pids as one JSON line on standard output');
}

async function dev(cli: CliContext, given: OutputFlags & Record<string, unknown>): Promise<void> {
  const flags = resolveFlags(SCHEMA, given, withKafkaBrokers(cli.env));
  const { terminal, interrupts } = cli;
  const verbose = given.verbose === true;
  const interrupted = Promise.withResolvers<void>();
  const stateDir = resolve(cli.cwd, flags.stateDir);
  let cluster: LocalCluster | undefined;
  const unlisten = interrupts.listen((count) => {
    interrupted.resolve();
    if (count > 1) void cluster?.stopNow();
  });
  try {
    cluster = await LocalCluster.start(
      { ...flags, driverPort: flags.port, stateDir, logDir: join(stateDir, 'logs'), clock: cli.clock },
      interrupts.signal,
    );
    await cluster.executorsUp(interrupts.signal);
    const { brokers, driverAddress, processes } = cluster;
    if (given.json === true) {
      const running = processes.map(({ name, pid, logFile }) => ({ name, pid, logFile }));
      writeJson(cli, { kind: 'cluster', brokers, driver: driverAddress, processes: running });
    } else terminal.out(`${description(cluster, cli).join('\n')}\n`);
    const lost = watchChildren(processes, (error) => terminal.err(renderError(error, terminal, { verbose })));
    await Promise.race([lost, interrupted.promise]);
  } catch (error) {
    // Ctrl-C while it was starting is no failure.
    if (!interrupts.signal.aborted) throw error;
  } finally {
    if (given.quiet !== true && cluster)
      terminal.err('stopping: running batches are finished first (again: stop now)\n');
    await cluster?.stop();
    unlisten();
  }
}

function description(cluster: LocalCluster, cli: CliContext): string[] {
  const { brokers, driverAddress, processes, roles } = cluster;
  return [
    `Kafka   ${brokers}${cluster.process('broker') ? ' (embedded, in memory: for development only)' : ''}`,
    `driver  ${driverAddress}`,
    '',
    ...processTable(processes, roles, cli.cwd),
    '',
    `${commandName(cli.env)} submit job.ts --driver ${driverAddress} --env KAFKA_BROKERS=${brokers}`,
    'Ctrl-C ends everything.',
  ];
}

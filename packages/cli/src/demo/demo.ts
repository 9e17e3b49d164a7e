import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '@millrace/common';
import type { CliContext } from '../cli-context.ts';
import { commandName } from '../command-name.ts';
import { renderError } from '../error-report.ts';
import { EXIT, type ExitCode, knownExitCode } from '../exit-codes.ts';
import { ChildCommand } from '../processes/child-command.ts';
import { LocalCluster } from '../processes/local-cluster.ts';
import { processTable } from '../processes/process-table.ts';
import { watchChildren } from '../processes/watch-children.ts';
import { createRunDirectory } from './run-directory.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/page-views/job.ts', import.meta.url));
const GENERATOR_UP_MS = 45_000;
const STOP_GRACE_MS = 10_000;

export interface DemoOptions {
  /** Absent: an embedded broker. */
  readonly brokers: string | undefined;
  readonly batches: number | undefined;
  readonly rate: number;
  readonly executors: number;
  readonly slots: number;
  readonly partitions: number;
  readonly verbose: boolean;
}

/**
 * Runs the whole system on this machine, with the page-views example on it, until Ctrl-C or `batches` batches.
 * Returns the exit code of the submission. Every process that it started is gone when it returns.
 */
export async function runDemo(cli: CliContext, options: DemoOptions): Promise<ExitCode> {
  if (!existsSync(EXAMPLE)) {
    throw new MillraceError(
      'BUNDLE_FAILED',
      'the demonstration needs examples/page-views, which is not here',
      {
        remedy: 'Run it in a clone of the repository.',
      },
    );
  }
  const run = createRunDirectory(join(cli.cwd, '.millrace/demo'), cli.clock.now(), process.pid);
  const demo = new Demo(cli, options, run);
  try {
    return await demo.run();
  } catch (error) {
    // Ctrl-C while it was starting is no failure.
    if (cli.interrupts.signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    await demo.stop();
  }
}

class Demo {
  readonly #cli: CliContext;
  readonly #options: DemoOptions;
  readonly #run: string;
  /** Of the run: a Kafka that is not ours is left as it was found. */
  readonly #topic: string;
  #cluster: LocalCluster | undefined;
  #clicks: ChildCommand | undefined;
  #submit: ChildCommand | undefined;
  #unlisten: () => void = () => undefined;

  constructor(cli: CliContext, options: DemoOptions, run: string) {
    this.#cli = cli;
    this.#options = options;
    this.#run = run;
    this.#topic = `page-views-${basename(run)}`;
  }

  async run(): Promise<ExitCode> {
    const { interrupts } = this.#cli;
    // Before the submission there is nothing to drain: the signal ends the start.
    this.#unlisten = interrupts.listen(() => this.#submit?.interrupt());
    this.#cluster = await LocalCluster.start(
      {
        ...this.#options,
        logDir: this.#run,
        stateDir: join(this.#run, 'driver'),
        brokerPort: 0,
        driverPort: 0,
        clock: this.#cli.clock,
      },
      interrupts.signal,
    );
    this.#clicks = this.#startClicks(this.#cluster);
    await this.#clicks.ready(GENERATOR_UP_MS);
    interrupts.signal.throwIfAborted();
    this.#submit = this.#startSubmit(this.#cluster);
    this.#printHeader(this.#cluster, this.#clicks, this.#submit);
    const lost = watchChildren([...this.#cluster.processes, this.#clicks], (error) => this.#printLost(error));
    const { code } = await Promise.race([this.#submit.exited, lost]);
    return code === EXIT.ok ? EXIT.ok : knownExitCode(code);
  }

  #startClicks(cluster: LocalCluster): ChildCommand {
    const { rate, partitions } = this.#options;
    const flags = { brokers: cluster.brokers, topic: this.#topic, rate, partitions, 'delete-created': true };
    return new ChildCommand({
      name: 'clicks',
      args: [
        'generate-clicks',
        ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ],
      logFile: join(this.#run, 'clicks.log'),
      clock: this.#cli.clock,
    });
  }

  #startSubmit(cluster: LocalCluster): ChildCommand {
    const { batches, verbose } = this.#options;
    const environment = { KAFKA_BROKERS: cluster.brokers, PAGE_VIEWS_TOPIC: this.#topic };
    return new ChildCommand({
      name: 'submit',
      args: [
        'submit',
        EXAMPLE,
        '--driver',
        cluster.driverAddress,
        ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
        ...(batches === undefined ? [] : ['--batches', String(batches)]),
        ...(verbose ? ['--verbose'] : []),
      ],
      clock: this.#cli.clock,
    });
  }

  #printHeader(cluster: LocalCluster, clicks: ChildCommand, submit: ChildCommand): void {
    const { rate, batches } = this.#options;
    const { terminal, cwd, env } = this.#cli;
    const kafka = cluster.process('broker') ? 'embedded Kafka' : 'Kafka';
    const roles = {
      ...cluster.roles,
      clicks: `${rate}/s to ${this.#topic}`,
      submit: relative(cwd, EXAMPLE),
    };
    const lines = [
      terminal.style('err', 'bold', 'Millrace: page views, counted as they happen'),
      '',
      `  clicks ──▶ ${kafka} ──▶ executors ◀──▶ driver ◀── submit`,
      '',
      ...processTable([...cluster.processes, clicks, submit], roles, cwd).map((line) => `  ${line}`),
      '',
      `  ${batches === undefined ? 'Ctrl-C ends everything.' : `Ends after ${batches} batches.`} Look around: ${commandName(env)} list --driver ${cluster.driverAddress}`,
      '',
    ];
    terminal.err(`${lines.join('\n')}\n`);
  }

  #printLost(error: MillraceError): void {
    const { terminal } = this.#cli;
    terminal.err(renderError(error, terminal, this.#options));
    terminal.err('the others go on without it\n');
  }

  /** Bounded; never throws. Whoever reads goes before what is read. */
  async stop(): Promise<void> {
    this.#unlisten();
    await this.#submit?.stop(STOP_GRACE_MS);
    await this.#clicks?.stop(STOP_GRACE_MS);
    await this.#cluster?.stop();
    this.#cli.terminal.err(`everything has ended; logs are in ${relative(this.#cli.cwd, this.#run)}\n`);
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { kafkaJars } from './kafka-jars.ts';

const TOOL_MS_MAX = 60_000;

const LOG4J = `status=error
appender.c.type=Console
appender.c.name=C
appender.c.target=SYSTEM_ERR
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.c.ref=C
`;

interface Target {
  readonly brokers: string;
  readonly topic: string;
}

/**
 * Reads with Java's kafka-console-consumer: one line a record, as its formatter prints them.
 * Ends after `maxMessages`, or when none came for `idleMs` (default 20,000).
 */
export async function javaConsoleConsumer(
  options: Target & {
    readonly maxMessages: number;
    /** Default true. */
    readonly fromBeginning?: boolean;
    readonly partition?: number;
    readonly group?: string;
    /** Of the formatter: `print.key`, `print.headers`, `key.separator`, `null.literal` … */
    readonly formatter?: Readonly<Record<string, string>>;
    /** Of the consumer: `isolation.level` … */
    readonly consumer?: Readonly<Record<string, string>>;
    readonly idleMs?: number;
  },
): Promise<readonly string[]> {
  const args = [
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    '--bootstrap-server',
    options.brokers,
    '--topic',
    options.topic,
    '--max-messages',
    String(options.maxMessages),
    '--timeout-ms',
    String(options.idleMs ?? 20_000),
    ...((options.fromBeginning ?? true) ? ['--from-beginning'] : []),
    ...(options.partition === undefined ? [] : ['--partition', String(options.partition)]),
    ...(options.group === undefined ? [] : ['--group', options.group]),
    ...pairs('--formatter-property', options.formatter),
    ...pairs('--command-property', options.consumer),
  ];
  const output = await runTool(args, '');
  return output === '' ? [] : output.replace(/\n$/, '').split('\n');
}

/** Writes with Java's kafka-console-producer (idempotent, acks=all): one record a line. */
export async function javaConsoleProducer(
  options: Target & {
    readonly lines: readonly string[];
    readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
    /** Of the line reader: `parse.key`, `key.separator`, `parse.headers` … */
    readonly reader?: Readonly<Record<string, string>>;
    /** Of the producer: `linger.ms` … */
    readonly producer?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const args = [
    'org.apache.kafka.tools.ConsoleProducer',
    '--bootstrap-server',
    options.brokers,
    '--topic',
    options.topic,
    ...(options.compression === undefined ? [] : ['--compression-codec', options.compression]),
    ...pairs('--reader-property', options.reader),
    ...pairs('--command-property', options.producer),
  ];
  await runTool(args, options.lines.map((line) => `${line}\n`).join(''));
}

/** A partition of a group, as Java's kafka-consumer-groups shows it. */
export interface JavaGroupPartition {
  readonly topic: string;
  readonly partition: number;
  readonly currentOffset: number;
  readonly logEndOffset: number;
  readonly lag: number;
}

/** `kafka-consumer-groups --describe`: the offsets of a group, and how far behind they are. */
export async function javaConsumerGroup(
  brokers: string,
  group: string,
): Promise<readonly JavaGroupPartition[]> {
  const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const output = await runTool([tool, '--bootstrap-server', brokers, '--describe', '--group', group], '');
  const [heads = [], ...rows] = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
  const cell = (row: readonly string[], head: string): string => row[heads.indexOf(head)] ?? '';
  return rows.map((row) => ({
    topic: cell(row, 'TOPIC'),
    partition: Number(cell(row, 'PARTITION')),
    currentOffset: Number(cell(row, 'CURRENT-OFFSET')),
    logEndOffset: Number(cell(row, 'LOG-END-OFFSET')),
    lag: Number(cell(row, 'LAG')),
  }));
}

function pairs(flag: string, properties: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.entries(properties).flatMap(([key, value]) => [flag, `${key}=${value}`]);
}

async function runTool(args: readonly string[], input: string): Promise<string> {
  const jars = await kafkaJars();
  if (!jars.ok) throw new Error(`Java's console tools cannot run: ${jars.reason}`);
  const directory = await mkdtemp(join(tmpdir(), 'millrace-console-'));
  try {
    const log4j = join(directory, 'log4j2.properties');
    await writeFile(log4j, LOG4J);
    const java = ['-Xmx256m', `-Dlog4j2.configurationFile=${log4j}`, '-cp', jars.classPath, ...args];
    const child = spawn('java', java, { timeout: TOOL_MS_MAX, killSignal: 'SIGKILL' });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    if (code !== 0 || /^ERROR/m.test(stderr)) {
      throw new Error(`${args[0]} ended with code ${code}:\n${stderr.slice(-2000)}`);
    }
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

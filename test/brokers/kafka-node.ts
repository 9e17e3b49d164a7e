import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';

const run = promisify(execFile);

const START_MS_MAX = 90_000;
const STARTED = 'Kafka Server started';

export interface JavaKafkaOptions {
  /** Added to server.properties, over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Default 768. */
  readonly heapMb?: number;
}

/** Which node of which cluster it is. */
export interface KafkaPlace {
  readonly nodeId: number;
  readonly clusterId: string;
  /** Of clients, and of the controller. */
  readonly ports: readonly [client: number, controller: number];
  /** id@host:port of all controllers. */
  readonly voters: readonly string[];
}

/** As the storage tool takes it. */
export function newClusterId(): string {
  const id = Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex');
  // The tool takes an id that begins with a dash for an option: without the top bit none does.
  id[0] = (id[0] ?? 0) & 0x7f;
  return id.toString('base64url');
}

/** One Java process, broker and controller, its data in a temporary directory. */
export class KafkaNode {
  readonly brokers: string;
  readonly dataDirectory: string;
  private readonly directory: string;
  private readonly classPath: string;
  private readonly options: JavaKafkaOptions;
  private readonly place: KafkaPlace;
  private process: GuardedProcess | undefined;
  private starts = 0;

  private constructor(directory: string, classPath: string, options: JavaKafkaOptions, place: KafkaPlace) {
    this.directory = directory;
    this.dataDirectory = join(directory, 'data');
    this.classPath = classPath;
    this.options = options;
    this.place = place;
    this.brokers = `127.0.0.1:${place.ports[0]}`;
  }

  /** Not started yet. */
  static async format(classPath: string, options: JavaKafkaOptions, place: KafkaPlace): Promise<KafkaNode> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
    try {
      const node = new KafkaNode(directory, classPath, options, place);
      await node.writeStorage();
      return node;
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get nodeId(): number {
    return this.place.nodeId;
  }

  get pid(): number {
    if (this.process === undefined) throw new Error('Kafka has not been started');
    return this.process.pid;
  }

  async start(): Promise<void> {
    if (this.process !== undefined && !this.process.ended) throw new Error('Kafka is running');
    this.starts += 1;
    const logFile = this.path(`kafka-${this.starts}.log`);
    this.process = await startGuarded({
      command: 'java',
      args: [...this.javaArgs(this.options.heapMb ?? 768), 'kafka.Kafka', this.path('server.properties')],
      logFile,
      directory: this.directory,
    });
    try {
      await this.untilStarted(logFile, this.process);
    } catch (error) {
      await this.process.kill();
      throw error;
    }
  }

  async kill(): Promise<void> {
    await this.process?.kill();
  }

  async shutDown(): Promise<void> {
    await this.process?.stop();
  }

  async stop(): Promise<void> {
    await this.shutDown();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async writeStorage(): Promise<void> {
    await mkdir(this.dataDirectory, { recursive: true });
    await writeFile(this.path('server.properties'), this.properties());
    await writeFile(this.path('log4j2.properties'), LOG4J);
    const { clusterId } = this.place;
    const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.path('server.properties')];
    await run('java', [...this.javaArgs(64), ...tool], { timeout: START_MS_MAX });
  }

  private async untilStarted(logFile: string, started: GuardedProcess): Promise<void> {
    const deadline = Date.now() + START_MS_MAX;
    for (;;) {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      if (log.includes(STARTED)) return;
      if (started.ended || Date.now() > deadline) {
        throw new Error(`Apache Kafka did not start. The end of its log:\n${log.slice(-2000)}`);
      }
      await delay(100);
    }
  }

  private javaArgs(heapMb: number): readonly string[] {
    const log4j = `-Dlog4j2.configurationFile=${this.path('log4j2.properties')}`;
    return [`-Xmx${heapMb}m`, log4j, '-cp', this.classPath];
  }

  private properties(): string {
    const { nodeId, voters, ports } = this.place;
    const [client, controller] = ports;
    // Kafka has three replicas by default, of which two must be in sync.
    const replicas = String(Math.min(3, voters.length));
    const inSync = String(Math.min(2, voters.length));
    const settings = {
      'process.roles': 'broker,controller',
      'node.id': String(nodeId),
      'controller.quorum.voters': voters.join(','),
      listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${client}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'log.dirs': this.dataDirectory,
      'auto.create.topics.enable': 'false',
      'group.initial.rebalance.delay.ms': '0',
      'default.replication.factor': replicas,
      'min.insync.replicas': inSync,
      'offsets.topic.replication.factor': replicas,
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': inSync,
      'transaction.state.log.num.partitions': '4',
      'share.coordinator.state.topic.replication.factor': replicas,
      'share.coordinator.state.topic.min.isr': inSync,
      // Tests write records of any time: none may be deleted for its age.
      'log.retention.ms': '-1',
      // Tests wait for compaction.
      'log.cleaner.backoff.ms': '250',
      ...this.options.properties,
    };
    return Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }

  private path(name: string): string {
    return join(this.directory, name);
  }
}

const LOG4J = `status=error
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.c.ref=C
`;

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MILLRACE_VERSION, NODE_MAJOR } from '@millrace/common';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';

const ENTRY = fileURLToPath(new URL('./host-main.ts', import.meta.url));
const MANIFEST = {
  formatVersion: 1,
  programHash: 'p',
  entry: 'job.ts',
  nodeMajor: NODE_MAJOR,
  apiVersion: MILLRACE_VERSION,
  closures: [],
  imports: [],
  sources: {},
};

/** A host process, and what it said. */
class Host {
  readonly child: ChildProcess;
  readonly messages: HostToDriver[] = [];
  printed = '';
  readonly exited: Promise<number | null>;
  /** All that it printed has come, too. */
  readonly closed: Promise<unknown>;

  constructor() {
    this.child = fork(ENTRY, [], {
      serialization: 'advanced',
      execArgv: ['--conditions=@millrace/source'],
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.printed += text.toString()));
    this.child.on('message', (message) => this.messages.push(message as HostToDriver));
    this.exited = new Promise((resolve) => this.child.on('exit', resolve));
    this.closed = new Promise((resolve) => this.child.on('close', resolve));
  }

  async hear<K extends HostToDriver['kind']>(kind: K): Promise<Extract<HostToDriver, { kind: K }>> {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
      const found = this.messages.find((message) => message.kind === kind);
      if (found) return found as Extract<HostToDriver, { kind: K }>;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no ${kind} within 15 s: ${JSON.stringify(this.messages)}`);
  }

  send(message: DriverToHost): void {
    this.child.send(message);
  }
}

describe('an application host process', () => {
  let directory: string;
  let host: Host;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-host-'));
    host = new Host();
  });

  afterEach(() => {
    host.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(driverModule: string): Promise<void> {
    writeFileSync(join(directory, 'driver.mjs'), driverModule);
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(MANIFEST));
    await host.hear('ready');
    host.send({
      kind: 'start',
      application: undefined,
      programHash: 'p',
      programDir: directory,
      applicationsDir: join(directory, 'applications'),
      config: {},
      environment: { PLACE: 'here' },
      slots: 1,
    });
  }

  it.each<[string, string, string, string]>([
    ['has no default export', 'export const a = 1', 'JOB_NO_DEFAULT_EXPORT', 'default export'],
    [
      'throws while it is evaluated',
      "throw new TypeError('wrong ' + process.env.PLACE)",
      'JOB_EVALUATION_FAILED',
      'wrong here',
    ],
    [
      'imports what is not there',
      "import 'nowhere-to-be-found'",
      'JOB_EVALUATION_FAILED',
      'nowhere-to-be-found',
    ],
    [
      'throws while its graph is built',
      "import { defineJob } from '@millrace/api'; export default defineJob({ name: 'a', batchInterval: 100 }, () => { throw new Error('no graph') })",
      'JOB_EVALUATION_FAILED',
      'no graph',
    ],
    [
      'reads an environment variable that is not set',
      "import { defineJob, env } from '@millrace/api'; export default defineJob({ name: env('NOT_SET'), batchInterval: 100 }, () => undefined)",
      'ENV_MISSING',
      'NOT_SET',
    ],
    [
      'has an unknown option',
      "import { defineJob } from '@millrace/api'; export default defineJob({ name: 'a', batchIntervall: 100 }, () => undefined)",
      'JOB_INVALID',
      'did you mean "batchInterval"',
    ],
    [
      'registers no output',
      "import { defineJob } from '@millrace/api'; export default defineJob({ name: 'a', batchInterval: 100 }, () => undefined)",
      'NO_OUTPUT_OPERATION',
      'no output operation',
    ],
    [
      'rejects a promise that nobody awaits',
      'Promise.reject(new Error("lost")); await new Promise((r) => setTimeout(r, 5000))',
      'USER_CODE',
      'lost',
    ],
  ])('refuses a job module that %s', async (_, module, code, text) => {
    await start(module);
    const { error } = await host.hear('refused');
    expect(error.code).toBe(code);
    expect(error.what).toContain(text);
    expect(await host.exited).toBe(1);
  });

  it('says with a Kafka that is away how long its job waits for one', async () => {
    await start(
      `import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
       export default defineJob({ name: 'a', batchInterval: 100, kafkaTimeout: '2s' }, (ssc) => {
         const strategy = ConsumerStrategies.Subscribe(['t'], { brokers: '127.0.0.1:1', groupId: 'g', startFrom: 'earliest' });
         ssc.kafka.createDirectStream(LocationStrategies.PreferConsistent, strategy).print();
       })`,
    );
    const { error } = await host.hear('refused');
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE', details: { kafkaTimeoutMs: 2_000 } });
  });

  it('answers pings, and is stopped before it has a job', async () => {
    await host.hear('ready');
    host.send({ kind: 'ping', sequence: 7 });
    expect(await host.hear('pong')).toEqual({ kind: 'pong', sequence: 7 });
    host.send({ kind: 'stop', mode: 'drain' });
    expect(await host.exited).toBe(0);
  });

  it('loses nothing of what the job printed before it ended the process', async () => {
    const lines = 20_000;
    await start(`for (let n = 0; n < ${lines}; n++) console.log('line ' + n); process.exit(7)`);
    expect(await host.exited).toBe(7);
    await host.closed;
    expect(host.printed.split('\n')).toHaveLength(lines + 1);
  });

  it('ends when its driver is gone', async () => {
    await host.hear('ready');
    host.child.disconnect();
    expect(await host.exited).toBe(3);
  });
});

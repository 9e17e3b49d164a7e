// Every kind of bad input that a user can hand in: refused at submit or at start, with a code, the place and the remedy.
import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NODE_MAJOR, PROTOCOL_VERSION, systemClock } from '@millrace/common';
import {
  type ClientChannel,
  clientChannel,
  type DriverMessage,
  deadlineIn,
  errorFromWire,
  type SubmitReply,
} from '@millrace/proto';
import { EXIT, exitCodeOf } from '../../packages/cli/src/exit-codes.ts';
import { type CliResult, TestCluster } from '../support/test-cluster.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { type BadJob, FAILED, REFUSED } from './bad-jobs.ts';

const BAD_JOBS = fileURLToPath(new URL('../jobs/bad/', import.meta.url));
const TIMEOUT_MS = 120_000;
// A first start waits ten seconds for Kafka; the rest is for a slow machine.
const UNREACHABLE_MS_MAX = 25_000;
const TOKEN = 'open sesame';

interface Submitted extends CliResult {
  readonly tookMs: number;
}

const kafka = useKafkaUnderTest();
const results = new Map<BadJob, Promise<Submitted>>();
let topic: string;
let cluster: TestCluster;
let silent: Server;
/** Jobs that are no TypeScript, and a package with an addon. */
let elsewhere: string;

beforeAll(async () => {
  topic = await kafka.topic('bad-input', 2);
  await kafka.client.producer().send(topic, [
    { partition: 0, value: '{"n":1}' },
    { partition: 0, value: 'no json' },
  ]);
  silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  kafka.atEnd(() => silent.close());
  elsewhere = mkdtempSync(join(tmpdir(), 'millrace-bad-input-'));
  kafka.atEnd(() => rmSync(elsewhere, { recursive: true, force: true }));
  writeFileSync(join(elsewhere, 'package.json'), '{}');
  const addon = join(elsewhere, 'node_modules/fast-native-hash');
  mkdirSync(addon, { recursive: true });
  writeFileSync(
    join(addon, 'package.json'),
    '{ "name": "fast-native-hash", "main": "index.js", "gypfile": true }',
  );
  writeFileSync(join(addon, 'index.js'), 'exports.hash = () => 1;');
  cluster = await TestCluster.start(kafka.brokers, 1, ['--token', TOKEN], ['--token', TOKEN]);
  kafka.atEnd(() => cluster.close());
  submitAll();
  kafka.atEnd(() => Promise.allSettled(results.values()));
}, TIMEOUT_MS);

/** A few at a time; each test waits for its own. */
function submitAll(): void {
  const slow = REFUSED.filter(({ code }) => code === 'KAFKA_UNREACHABLE');
  const quick = [...REFUSED, ...FAILED].filter((job) => !slow.includes(job));
  // Those that wait for Kafka take no processor.
  const lanes = [
    ...slow.map((job) => [job]),
    ...[0, 1].map((rest) => quick.filter((_, i) => i % 2 === rest)),
  ];
  for (const lane of lanes) {
    let before: Promise<unknown> = Promise.resolve();
    for (const job of lane) {
      const result = before.then(() => submit(job));
      results.set(job, result);
      before = result.catch(() => undefined);
    }
  }
}

async function submit(job: BadJob): Promise<Submitted> {
  const started = Date.now();
  const ended = await cluster.cli([...command('submit', job), ...access()]);
  return { ...ended, tookMs: Date.now() - started };
}

async function resultOf(job: BadJob): Promise<Submitted> {
  const result = await results.get(job);
  if (result === undefined) throw new Error(`${job.file} was not submitted`);
  return result;
}

function access(): string[] {
  return ['--driver', cluster.address, '--token', TOKEN];
}

function command(name: 'submit' | 'check', job: BadJob): string[] {
  const { port } = silent.address() as { port: number };
  const env = { KAFKA_BROKERS: kafka.brokers, BAD_TOPIC: topic, ...job.env };
  const assignments = Object.entries(env).flatMap(([key, value]) => [
    '--env',
    `${key}=${value.replace('SILENT', `127.0.0.1:${port}`)}`,
  ]);
  return [name, pathOf(job), ...assignments];
}

function pathOf({ file }: BadJob): string {
  const path = join(BAD_JOBS, `${file}.ts`);
  if (existsSync(path)) return path;
  const copy = join(elsewhere, `${file}.ts`);
  copyFileSync(`${path}.txt`, copy);
  return copy;
}

/** "no-start.ts:5:": the first line with what the case says. */
function placeOf(job: BadJob): string {
  const lines = readFileSync(pathOf(job), 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(job.place ?? ''));
  if (index < 0) throw new Error(`${job.file} has no line with ${job.place}`);
  return `${job.file}.ts:${index + 1}:`;
}

function nameOf({ file, env }: BadJob): string {
  return env?.['BAD_NAME'] ?? `bad-${file}`;
}

function expectReport(job: BadJob, { code, stderr }: CliResult): void {
  expect(stderr).toContain(`[${job.code}]`);
  for (const text of job.says) expect(stderr).toContain(text.replaceAll('<topic>', topic));
  if (job.place !== undefined) expect(stderr).toContain(placeOf(job));
  // Places are the user's: of no bundle, of no engine.
  expect(stderr).not.toMatch(/driver\.mjs|closures\.mjs|packages\/|bug of Millrace/);
  expect(code).toBe(job.exit);
}

describe('submit refuses', () => {
  it.each(REFUSED.map((job) => [job.title, job] as const))('%s', async (_, job) => {
    const result = await resultOf(job);
    expectReport(job, result);
    expect(result.stdout).toBe('');
    expect(result.tookMs).toBeLessThan(UNREACHABLE_MS_MAX);
    expect(existsSync(join(cluster.stateDir, 'applications', nameOf(job)))).toBe(false);
  });

  it('before an application comes to be', async () => {
    await Promise.all(results.values());
    const { stdout } = await cluster.cli(['list', '--json', ...access()]);
    const { applications } = JSON.parse(stdout) as { applications: { application: string; state: string }[] };
    expect(new Set(applications.map(({ application, state }) => `${application} ${state}`))).toEqual(
      new Set(FAILED.map((job) => `${nameOf(job)} FAILED`)),
    );
  });

  it('for programs, too: as one JSON line', async () => {
    const job = REFUSED.find(({ file }) => file === 'no-start') as BadJob;
    const { code, stdout } = await cluster.cli([...command('submit', job), '--json', ...access()]);
    expect(code).toBe(job.exit);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'error',
      error: { code: job.code, details: { place: expect.stringContaining(placeOf(job)) } },
    });
  });
});

describe('check refuses', () => {
  const checked = REFUSED.filter(({ file }) =>
    ['everything', 'unresolved-import', 'no-output'].includes(file),
  );

  it.each(checked.map((job) => [job.title, job] as const))('%s, in the words of submit', async (_, job) => {
    const submitted = await resultOf(job);
    const result = await cluster.cli(command('check', job));
    expect(result).toEqual({ code: submitted.code, stdout: '', stderr: submitted.stderr });
  });
});

describe('the first batch fails of', () => {
  it.each(FAILED.map((job) => [job.title, job] as const))('%s', async (_, job) => {
    const result = await resultOf(job);
    expectReport(job, result);
    // Said once, although the batch and the application end with it.
    expect(result.stderr.split(`[${job.code}]`).length - 1).toBe(job.says[0] === '2 problems' ? 3 : 1);
  });
});

describe('an application', () => {
  it('has its name for itself', async () => {
    const name = `well-${randomUUID()}`;
    const env = ['--env', `KAFKA_BROKERS=${kafka.brokers}`, '--env', `BAD_TOPIC=${topic}`];
    const args = ['submit', join(BAD_JOBS, 'well.ts'), '--name', name, '--detach', ...env, ...access()];
    const both = await Promise.all([cluster.cli(args), cluster.cli(args)]);
    expect(new Set(both.map(({ code }) => code))).toEqual(new Set([EXIT.ok, EXIT.conflict]));
    const refused = await cluster.cli(args);
    expect(refused.code).toBe(EXIT.conflict);
    expect(refused.stderr).toContain(`application ${name} is RUNNING already [APPLICATION_EXISTS]`);
    expect(refused.stderr).toContain(`Stop it first (millrace stop ${name}), or give this one another name`);
    expect((await cluster.cli(['stop', name, '--now', ...access()])).code).toBe(EXIT.ok);
  });
});

describe('a wrong token', () => {
  it.each([
    ['submit', (): string[] => command('submit', REFUSED[0] as BadJob)],
    ['list', (): string[] => ['list']],
    ['executor', (): string[] => ['executor']],
  ])('is refused: %s', async (_, args) => {
    const { code, stderr } = await cluster.cli([
      ...args(),
      '--driver',
      cluster.address,
      '--token',
      'guessed',
    ]);
    expect(stderr).toContain('the token is wrong [UNAUTHENTICATED]');
    expect(stderr).toContain('Give the token that this server was started with (--token or MILLRACE_TOKEN)');
    expect(code).toBe(EXIT.auth);
  });
});

// A peer of another version, as a small client of its own.
describe('a peer that speaks another protocol', () => {
  const OTHERS = [
    [{ protocol: PROTOCOL_VERSION + 1, nodeMajor: NODE_MAJOR }, `it speaks protocol ${PROTOCOL_VERSION + 1}`],
    [{ protocol: PROTOCOL_VERSION, nodeMajor: NODE_MAJOR - 2 }, `it runs Node ${NODE_MAJOR - 2}`],
  ] as const;
  let channel: ClientChannel;

  beforeAll(() => {
    channel = clientChannel({ address: cluster.address, token: TOKEN });
  });
  afterAll(() => channel.close());

  it.each(OTHERS)('%p: its submission is refused', async (peer, says) => {
    const { error } = await new Promise<SubmitReply>((resolve, reject) => {
      const call = channel.submission.submit(deadlineIn(10_000, systemClock), (failure, reply) =>
        reply === undefined ? reject(failure ?? new Error('no reply')) : resolve(reply),
      );
      call.write({
        header: { hello: { ...peer, millraceVersion: '0.0.1' }, programHash: 'x', bundleBytes: 1 },
      });
      call.end();
    });
    expectMismatch(errorFromWire(error as NonNullable<typeof error>), says);
  });

  it.each(OTHERS)('%p: as an executor it is refused', async (peer, says) => {
    const stream = channel.executorLink.attach();
    const answer = await new Promise<DriverMessage>((resolve, reject) => {
      stream.once('data', resolve).once('error', reject);
      const hello = { ...peer, millraceVersion: '0.0.1' };
      stream.write({ register: { hello, executorId: 'e-old', host: 'old', slots: 1 } });
    });
    stream.on('error', () => undefined).cancel();
    const { refused } = answer;
    expectMismatch(errorFromWire(refused?.error as NonNullable<typeof refused>['error'] & object), says);
  });

  function expectMismatch(error: ReturnType<typeof errorFromWire>, says: string): void {
    expect(error).toMatchObject({
      code: 'VERSION_MISMATCH',
      what: expect.stringContaining(says),
      remedy: expect.stringContaining('Run the same Millrace version on the same Node major everywhere'),
    });
    expect(exitCodeOf(error)).toBe(EXIT.conflict);
  }
});

// An int64 of a broker beyond 2^53−1 (OFFSET_UNSAFE) cannot be had from a real one: packages/kafka/src/wire/wire.test.ts ("refuses an
// int64 beyond 2^53−1 instead of rounding it") and packages/kafka/src/records/record-batch.test.ts show it at the wire.

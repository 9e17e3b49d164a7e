import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveConfig, systemClock } from '@millrace/common';
import { startDevBroker } from '@millrace/devbroker';
import { connectKafka, KAFKA_OPTIONS } from '@millrace/kafka';
import { Interrupts } from './interrupts.ts';
import type { Environment } from './terminal.ts';
import { runCaptured } from './testing/captured-run.ts';
import { type FakeDriver, type FakeDriverScript, startFakeDriver } from './testing/fake-driver.ts';

let dir = '';
let input: readonly string[] = [];
let driver: FakeDriver | undefined;
let interrupts = new Interrupts(systemClock, () => undefined);

const run = (argv: readonly string[], env: Environment = {}) =>
  runCaptured(argv, { env, cwd: dir, input, interrupts });

async function withDriver(script: FakeDriverScript): Promise<Environment> {
  driver = await startFakeDriver(script);
  return { MILLRACE_DRIVER: driver.address };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  interrupts = new Interrupts(systemClock, () => undefined);
});
afterEach(async () => {
  await driver?.close();
  driver = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('usage', () => {
  it('prints the exit codes with the help, of every command too, and ends in 0', async () => {
    for (const argv of [['--help'], ['submit', '--help'], ['help', 'stop']]) {
      const { exitCode, out, err } = await run(argv);
      expect([exitCode, err]).toEqual([0, '']);
      expect(out).toContain('  130  ended by SIGINT (Ctrl-C)');
    }
  });

  it('ends in 2 without a command, with the help', async () => {
    const { exitCode, err } = await run([]);
    expect(exitCode).toBe(2);
    expect(err).toContain('Usage: millrace');
  });

  it('names every unknown flag, with the nearest', async () => {
    const { exitCode, out, err } = await run(['submit', 'job.ts', '--detah', '--nmae=x', '--qqqqqqqqq']);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err.trim().split('\n')).toEqual([
      'error: unknown option --detah; did you mean --detach?',
      'error: unknown option --nmae; did you mean --name?',
      'error: unknown option --qqqqqqqqq',
    ]);
  });

  it('knows the flags of the command, whatever else is called like another one', async () => {
    const { err } = await run(['submit', 'list', '--detach', '--name', 'stop', '--xyzzyxyzzy']);
    expect(err).toBe('error: unknown option --xyzzyxyzzy\n');
  });

  it('names every wrong value at once', async () => {
    const { exitCode, err } = await run(
      [
        'submit',
        'job.ts',
        '--batches',
        '0',
        '--conf',
        'batchIntervall=1',
        '--conf',
        'batchInterval=soon',
        '--env',
        'NOPE',
      ],
      { MILLRACE_DRIVER: 'nowhere' },
    );
    expect(exitCode).toBe(2);
    expect(err).toMatch(/--batches: expected an integer/);
    expect(err).toMatch(/unknown option "batchIntervall"; did you mean "batchInterval"\?/);
    expect(err).toMatch(/--conf batchInterval: "soon" is not a duration/);
    expect(err).toMatch(/--env: NOPE is not set here/);
    expect(err).toMatch(/MILLRACE_DRIVER: expected host:port with a port in \[1, 65535\], got "nowhere"/);
  });

  it('offers the nearest command', async () => {
    const { exitCode, err } = await run(['sumbit', 'job.ts']);
    expect([exitCode, err]).toEqual([2, "error: unknown command 'sumbit'; Did you mean submit?\n"]);
  });

  it('has no colours without a terminal and colours when forced', async () => {
    expect((await run(['nope'])).err).not.toContain('\u001b[');
    expect((await run(['nope'], { FORCE_COLOR: '1' })).err).toContain('\u001b[31merror:');
  });
});

describe('the address of the driver', () => {
  it.each(['nowhere', 'a b:1', ':7077', 'host:', 'host:65536', 'host:99999', 'host:0', '::1:7077'])(
    '%j is refused',
    async (address) => {
      const { exitCode, err } = await run(['list', '--driver', address]);
      expect([exitCode, err]).toEqual([
        2,
        `error: --driver: expected host:port with a port in [1, 65535], got ${JSON.stringify(address)}\n`,
      ]);
    },
  );
});

describe('produce', () => {
  it('creates a topic, and spreads lines without a key over its partitions', async () => {
    const broker = await startDevBroker();
    const kafka = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
    try {
      input = ['a\nb', '\nc\n', 'k:d'];
      const argv = ['produce', 'lines', '--partitions', '2', '--key-separator', ':'];
      const { exitCode, out, err } = await run(argv, { KAFKA_BROKERS: broker.brokers });
      expect([exitCode, out, err]).toEqual([
        0,
        '',
        'created lines with 2 partitions\nsent 4 records to lines\n',
      ]);
      const offsets = await kafka.listOffsets(
        [0, 1].map((partition) => ({ topic: 'lines', partition })),
        'latest',
      );
      const counts = [...offsets.values()].map((end) => (typeof end === 'number' ? end : end.offset));
      expect(counts.reduce((a, b) => a + b)).toBe(4);
      expect(Math.min(...counts)).toBeGreaterThan(0);
    } finally {
      input = [];
      await kafka.close();
      await broker.close();
    }
  });

  it('to a Kafka that is not there ends in 4', async () => {
    const { exitCode, err } = await run(['produce', 'x', '--brokers', '127.0.0.1:1']);
    expect([exitCode, err]).toEqual([4, expect.stringContaining('[KAFKA_UNREACHABLE]')]);
  }, 30_000);
});

describe('the cluster', () => {
  it('that cannot be reached ends in 4, also as JSON', async () => {
    const argv = ['list', '--driver', '127.0.0.1:1', '--timeout', '300ms', '--json'];
    const { exitCode, out, err } = await run(argv);
    expect(exitCode).toBe(4);
    expect(err).toMatch(
      /^error: no answer from 127\.0\.0\.1:1 within 0\.3\ds: nothing listens there \[DRIVER_UNREACHABLE\]\n/,
    );
    expect(err).toContain('start one with `millrace dev`');
    expect(err).not.toContain('because:');
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      kind: 'error',
      error: { code: 'DRIVER_UNREACHABLE' },
    });
  });

  it('where something else listens, says so', async () => {
    const other = createServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const { err } = await run(['list', '--driver', `127.0.0.1:${port}`, '--timeout', '300ms']);
      expect(err).toContain('something listens there, but it is not a driver');
    } finally {
      other.close();
    }
  });

  it('that asks for a token ends in 5 without it, and answers with one from a file', async () => {
    const env = await withDriver({ token: 'secret' });
    expect((await run(['list'], env)).exitCode).toBe(5);
    writeFileSync(join(dir, 'token'), 'secret\n');
    expect((await run(['list', '--token-file', 'token'], env)).exitCode).toBe(0);
    expect((await run(['list', '--token', 'secret'], { ...env, MILLRACE_TOKEN: 'wrong' })).exitCode).toBe(0);
    expect((await run(['list', '--token', 'a', '--token-file', 'token'], env)).exitCode).toBe(2);
  });

  it('lists applications on standard output, and one JSON document with --json', async () => {
    const env = await withDriver({
      applications: [{ application: 'views', state: 'RUNNING', batches: 1234 }],
    });
    const { out } = await run(['list'], env);
    expect(out).toMatch(/^views +RUNNING .* 1 234 /m);
    expect(out).toContain('no executors');
    const json = JSON.parse((await run(['list', '--json'], env)).out) as unknown;
    expect(json).toMatchObject({ version: 1, applications: [{ application: 'views', batches: 1234 }] });
  });

  it('prints logs', async () => {
    const env = await withDriver({});
    expect((await run(['logs', 'views', '--tail', '2'], env)).out).toBe('line 1\nline 2\n');
  });

  it('stops by draining, at once, or by killing', async () => {
    const env = await withDriver({ applications: [{ application: 'views', state: 'RUNNING' }] });
    expect(await run(['stop', 'views'], env)).toMatchObject({ exitCode: 0, out: 'views STOPPED\n' });
    await run(['stop', 'views', '--now'], env);
    await run(['kill', 'views'], env);
    expect(driver?.stops).toEqual(['DRAIN', 'NOW', 'KILL']);
    expect((await run(['stop', 'views', '--now', '--drain'], env)).exitCode).toBe(2);
    expect((await run(['stop', 'others'], env)).exitCode).toBe(6);
  });
});

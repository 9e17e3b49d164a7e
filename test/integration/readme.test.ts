// What the README prints runs, in a directory that is not of this repository.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type DevBroker, produce, startDevBroker } from '@millrace/testing';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 60_000;
const ROOT = new URL('../../', import.meta.url);

let broker: DevBroker;
let directory: string;
let program: ChildProcess | undefined;

beforeAll(async () => {
  broker = await startDevBroker();
  directory = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
  const [job = '', embedded = ''] = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(
    ([, code = '']) => code,
  );
  writeFileSync(join(directory, 'job.ts'), job);
  writeFileSync(join(directory, 'embed.ts'), embedded);
});

afterAll(async () => {
  program?.kill('SIGKILL');
  await broker.close();
  rmSync(directory, { recursive: true, force: true });
});

/** As tools/run.mjs does. */
function start(): { readonly output: () => string; readonly exited: Promise<number | null> } {
  const imports = new URL('tools/own-packages.mjs', ROOT).href;
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', '--import', imports, join(directory, 'embed.ts')],
    { cwd: directory, env: { ...process.env, KAFKA_BROKERS: broker.brokers } },
  );
  program = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { output: () => output, exited };
}

it(
  'says what is wrong, and where, when nobody catches the error of an embedded application',
  async () => {
    const { output, exited } = start();
    expect(await exited).toBe(1);
    const [, report = ''] = /^\W*MillraceError: (.*?\S) *\{$/ms.exec(output()) ?? [];
    expect(report.split('\n')).toEqual([
      'The topic "page-views" does not exist [UNKNOWN_TOPIC]',
      '  Create it first, or correct the name.',
      expect.stringMatching(/^ {2}at file:.*\/job\.ts:\d+:\d+\]?$/),
    ]);
  },
  TIMEOUT_MS,
);

it(
  'runs the job inside the process',
  async () => {
    broker.createTopic('page-views', { partitions: 2 });
    await produce(
      broker.brokers,
      'page-views',
      [100, 300, 400].map((latencyMs) => ({ value: JSON.stringify({ page: '/slow', latencyMs }) })),
    );
    const { output, exited } = start();
    await until('the slow pages', () => output().includes("'/slow' => 2"));
    program?.kill('SIGTERM');
    await exited;
  },
  TIMEOUT_MS,
);

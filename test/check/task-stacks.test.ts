// Lambdas that throw on a real executor: the stacks that the driver catches point into what the author wrote, frame by frame.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type DevBroker, produce, startDevBroker } from '@millrace/testing';
import { TestCluster } from '../support/test-cluster.ts';
import { job } from './corpus/corpus-case.ts';
import { STACK_CASES, stackProject } from './stack-job.ts';

const TIMEOUT_MS = 120_000;

interface Told {
  readonly what: string;
  readonly stack: string;
}

const project = stackProject();
let broker: DevBroker;
let cluster: TestCluster;
let directory: string;
let caught: readonly (readonly Told[])[];

beforeAll(async () => {
  broker = await startDevBroker();
  broker.createTopic('stacks', { partitions: 1 });
  await produce(broker.brokers, 'stacks', [{ value: 'a' }]);
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-stacks-')));
  for (const [path, text] of Object.entries(project)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  cluster = await TestCluster.start(broker.brokers, 1);
  const result = join(directory, 'caught.json');
  const env = ['--env', `KAFKA_BROKERS=${broker.brokers}`, '--env', `STACKS_RESULT=${result}`];
  const { code, stderr } = await cluster.cli([
    'submit',
    join(directory, 'job.ts'),
    '--driver',
    cluster.address,
    ...env,
  ]);
  if (code !== 0) throw new Error(`the job ended with ${code}\n${stderr}`);
  caught = JSON.parse(readFileSync(result, 'utf8')) as Told[][];
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster?.close();
  await broker?.close();
  rmSync(directory, { recursive: true, force: true });
}, TIMEOUT_MS);

/** "lib/fail.ts: new RangeError" → "lib/fail.ts:2:40". */
function placeOf(frame: string): string {
  const [file = '', ...rest] = frame.split(': ');
  const text = project[file] ?? '';
  const at = text.indexOf(rest.join(': '));
  if (at < 0) throw new Error(`${file} has no ${rest.join(': ')}`);
  const before = text.slice(0, at).split('\n');
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

function framesOf(stack: string | undefined): readonly string[] {
  const lines = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return lines.map((line) => /([^\s(]+:\d+:\d+)\)?$/.exec(line)?.[1] ?? line.trim());
}

it.each(STACK_CASES.map((each, index) => [each.title, index, each] as const))(
  '%s',
  (_title, index, { frames, causeFrames }) => {
    const [, thrown, cause] = caught[index] ?? [];
    // Exactly these: no frame of the engine, of Node or of the bundle.
    const native = (frame: string): boolean => !/^at (?:JSON|Array)\.|<anonymous>/.test(frame);
    expect(framesOf(thrown?.stack).filter(native)).toEqual(frames.map(placeOf));
    if (causeFrames !== undefined)
      expect(framesOf(cause?.stack).filter(native)).toEqual(causeFrames.map(placeOf));
  },
);

it.each([
  ['attached', []],
  ['detached', ['--detach']],
])('and submit shows the warnings of a check, %s', async (name, flags) => {
  const path = join(directory, `${name}.ts`);
  const body = 'orders.map((row) => apiKey + row.value).foreachRDD(() => undefined);';
  const text = job({ top: "const apiKey = 'not a real key';", body })['job.ts'] ?? '';
  writeFileSync(path, text.replace('localhost:1', broker.brokers).replace("'orders'", "'stacks'"));
  const conf = ['--name', name, '--conf', 'batches=1', '--conf', 'batchInterval=50ms'];
  const args = ['submit', path, '--driver', cluster.address, ...conf, ...flags];
  const { code, stderr } = await cluster.cli(args);
  expect(stderr).toMatch(
    /^(?:warn: )?lambda at \S+:9:14, given to map, captures `apiKey`.*\[CAPTURE_SECRET\]$/m,
  );
  expect(stderr).toContain('fix: read it on the executor:  const apiKey = perExecutor(');
  expect(stderr).not.toContain('not a real key');
  expect(code).toBe(0);
});

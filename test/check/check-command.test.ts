// The command itself, as a process: what it prints is what docs/lambdas.md shows, and what programs read.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DevBroker, startDevBroker } from '@millrace/testing';
import { job } from './corpus/corpus-case.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 50_000;

interface Checked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let broker: DevBroker;
let directory: string;

beforeAll(async () => {
  broker = await startDevBroker();
  broker.createTopic('orders', { partitions: 1 });
  directory = mkdtempSync(join(tmpdir(), 'millrace-check-command-'));
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await broker.close();
});

function check(path: string, ...flags: readonly string[]): Promise<Checked> {
  const command = ['--conditions=@millrace/source', 'packages/cli/src/main.ts', 'check', path, ...flags];
  const args = [...command, '--env', `KAFKA_BROKERS=${broker.brokers}`];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, timeout: TIMEOUT_MS }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** A job with these statements, on the broker of this test. */
function write(name: string, top: string, body: string): string {
  const path = join(directory, `${name}.ts`);
  const text = job({ top, body })['job.ts'] ?? '';
  writeFileSync(path, text.replaceAll('⟪', '').replace('localhost:1', broker.brokers));
  return path;
}

describe('millrace check', () => {
  it('prints what docs/lambdas.md shows', async () => {
    const [refused, warned] = await Promise.all([
      check('examples/lambdas/refused.ts'),
      check('examples/lambdas/warned.ts'),
    ]);
    expect(refused.code).toBe(3);
    expect(warned).toMatchObject({ code: 0, stdout: expect.stringContaining('is sound') });
    expect(warned.stdout).toContain('5 warnings');
    // The numbers of the list, its labels and its indentation away.
    const shown = [
      refused.stderr.replaceAll(/^(?: {2}\d\. | {5})/gm, ''),
      warned.stderr.replaceAll(/^(?:warning: | {2})/gm, ''),
    ];
    const page = readFileSync(join(ROOT, 'docs/lambdas.md'), 'utf8');
    const documented = [...page.matchAll(/^```text\n(.*?)^```$/gms)].map(([, text = '']) => text.trimEnd());
    expect(documented.length).toBe(11);
    expect(documented.filter((text) => !shown.some((each) => each.includes(text)))).toEqual([]);
  });

  it('gives programs every problem and warning with its parts', async () => {
    const path = write(
      'refused',
      "import { Socket } from 'node:net';\nconst socket = new Socket();\nconst send = (text: string) => socket.write(text);\nconst apiKey = 'not a real key';",
      'let seen = 0;\n  orders.map((row) => { seen++; return send(row.value); }).print();\n  orders.map(() => apiKey).print();',
    );
    const { code, stdout, stderr } = await check(path, '--json');
    expect(code).toBe(3);
    expect(stderr).toContain('2 problems');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      version: 1,
      kind: 'error',
      error: { code: 'JOB_INVALID' },
      problems: [
        {
          code: 'CLOSURE_WRITES_CAPTURE',
          file: 'refused.ts',
          line: 13,
          column: 25,
          fix: expect.stringContaining('const seen = ssc.accumulator(0)'),
        },
        {
          code: 'CLOSURE_CAPTURE',
          what: expect.stringMatching(/^lambda at refused\.ts:13:14, given to map, cannot be shipped/),
          file: 'refused.ts',
          line: 4,
          column: 32,
          reason: 'it owns process-local state (listeners, handles)',
          value: 'socket',
          path: 'lambda (refused.ts:13) → send (refused.ts:4)',
          frame: expect.stringContaining('captured here'),
          fix: expect.stringContaining('const socket = perExecutor'),
        },
      ],
      warnings: [
        {
          code: 'CAPTURE_SECRET',
          file: 'refused.ts',
          line: 14,
          column: 20,
          frame: expect.stringContaining("const apiKey = '••••••••••••••'"),
          fix: expect.stringContaining('process.env.API_KEY'),
        },
      ],
    });
    expect(JSON.stringify(document['problems'])).not.toContain('"stack"');
  });

  it('gives programs problems of the bundle in the same form', async () => {
    const path = write(
      'broken',
      "import { gone } from './gone.ts';\nconst n = await gone();",
      'orders.print();',
    );
    const { code, stdout } = await check(path, '--json');
    expect(code).toBe(3);
    const { problems, warnings } = JSON.parse(stdout) as Record<string, readonly Record<string, unknown>[]>;
    expect(problems?.map(({ code: each, file, line, column }) => [each, file, line, column])).toEqual([
      ['IMPORT_UNRESOLVED', 'broken.ts', 2, 22],
      ['JOB_TOP_LEVEL_AWAIT', 'broken.ts', 3, 11],
    ]);
    expect(problems?.[1]?.['fix']).toContain('const n = await gone()');
    expect(warnings).toEqual([]);
  });

  it('says that a sound job is sound, in one document', async () => {
    const { code, stdout, stderr } = await check(write('sound', '', 'orders.print();'), '--json');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      kind: 'checked',
      application: 'corpus',
      batchIntervalMs: 1000,
      notes: expect.any(Array),
      programHash: expect.stringMatching(/^[0-9a-f]+$/),
      problems: [],
      warnings: [],
    });
  });

  it('refuses a job that ends its process, and speaks of last words only when there are some', async () => {
    const [silent, speaking] = await Promise.all([
      check(write('exits', 'process.exit(0);', '')),
      check(write('speaks', "console.error('farewell'); process.exit(5);", '')),
    ]);
    expect(silent.code).toBe(3);
    expect(silent.stderr).toMatch(
      /^error: the job ended the process that evaluates it, with code 0 \[JOB_EVALUATION_FAILED\]\n/,
    );
    expect(speaking.code).toBe(3);
    expect(speaking.stderr).toMatch(/farewell[\s\S]*with code 5; its last words are above/);
  });
});

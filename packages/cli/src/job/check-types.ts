import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { MillraceError, withDeadline } from '@millrace/common';

const DEADLINE_MS = 120_000;
const SHOWN_LINES = 40;

/**
 * Runs the TypeScript compiler that is installed beside the job over its project: `given`, or the nearest tsconfig.json.
 * @throws MillraceError TYPE_CHECK_FAILED with the compiler's messages, or when there is no compiler or project.
 */
export async function checkTypes(entry: string, given?: string): Promise<void> {
  const project = given ?? nearestProject(dirname(entry));
  if (project === undefined) {
    throw new MillraceError('TYPE_CHECK_FAILED', `no tsconfig.json at or above ${dirname(entry)}`, {
      remedy: 'Add one, name one with --tsconfig, or leave --typecheck out.',
    });
  }
  const child = spawn(
    process.execPath,
    [compilerOf(entry), '--noEmit', '--pretty', 'false', '--listFiles', '-p', project],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<number | null>((settle, reject) => {
    child.once('error', reject);
    child.once('close', settle);
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    const code = await withDeadline(ended, DEADLINE_MS, 'the type check');
    const lines = (await output).join('').trim().split('\n');
    if (code === 0) return assertCovered(entry, project, lines);
    // Beside the messages, the listed files: absolute paths alone on a line.
    const messages = lines.filter((line) => !isAbsolute(line) || line.includes(': error '));
    throw failed('the types do not fit', messages, project);
  } finally {
    child.kill('SIGKILL');
  }
}

/** A solution file with references checks nothing by itself: silence is then no proof. */
function assertCovered(entry: string, project: string, listed: readonly string[]): void {
  if (listed.some((file) => resolve(file) === entry)) return;
  throw failed(
    `the project does not include ${entry}`,
    ['Put a tsconfig.json that does beside the job, or name the one that does with --tsconfig.'],
    project,
  );
}

function failed(what: string, lines: readonly string[], project: string): MillraceError {
  const more = lines.length > SHOWN_LINES ? [`… and ${lines.length - SHOWN_LINES} lines more`] : [];
  const shown = [what, ...lines.slice(0, SHOWN_LINES), ...more].join('\n');
  return new MillraceError('TYPE_CHECK_FAILED', shown, { details: { project } });
}

function nearestProject(from: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const candidate = join(dir, 'tsconfig.json');
    if (existsSync(candidate)) return candidate;
    if (dirname(dir) === dir) return undefined;
  }
}

function compilerOf(entry: string): string {
  try {
    const manifest = createRequire(entry).resolve('typescript/package.json');
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } };
    return join(dirname(manifest), bin.tsc);
  } catch (cause) {
    throw new MillraceError('TYPE_CHECK_FAILED', 'TypeScript is not installed beside the job', {
      cause,
      remedy: 'Install it (npm install --save-dev typescript), or leave --typecheck out.',
    });
  }
}

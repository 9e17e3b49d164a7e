import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Project } from './corpus/corpus-case.ts';
import type { EvaluatedJob } from './evaluated-job.ts';

const MARK = '⟪';

/** "job.ts:5:9": where the marks of a project stand, in their order, `job.ts` first. */
export function markedPlaces(project: Project): readonly string[] {
  return Object.entries(project).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) => {
      const parts = line.split(MARK).slice(0, -1);
      let column = 1;
      return parts.map((part) => {
        column += part.length;
        return `${file}:${index + 1}:${column}`;
      });
    }),
  );
}

/** A process that evaluates jobs, and the projects that it is given. Close it. */
export class CheckBench {
  readonly #directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-corpus-')));
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'job-evaluator.ts'), [], {
    execArgv: ['--conditions=@millrace/source', '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  readonly #waiting = new Map<number, PromiseWithResolvers<EvaluatedJob>>();
  #projects = 0;

  constructor() {
    this.#child.on('message', ({ id, evaluated }: { id: number; evaluated: EvaluatedJob }) => {
      this.#waiting.get(id)?.resolve(evaluated);
      this.#waiting.delete(id);
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the evaluator ended with ${code}`));
    });
  }

  /** `manifest`: fields of the bundle's manifest that are changed before it is evaluated. */
  async check(project: Project, manifest?: Readonly<Record<string, unknown>>): Promise<EvaluatedJob> {
    const id = this.#projects++;
    const directory = join(this.#directory, String(id));
    const files = { 'package.json': '{ "type": "module" }', ...project };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text.replaceAll(MARK, ''));
    }
    const evaluated = Promise.withResolvers<EvaluatedJob>();
    this.#waiting.set(id, evaluated);
    this.#child.send({ id, request: { directory, ...(manifest && { manifest }) } });
    return evaluated.promise;
  }

  close(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

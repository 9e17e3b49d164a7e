import type { ChildProcess } from 'node:child_process';
import type { Clock, Logger } from '@millrace/common';
import { forwardLines } from './output-lines.ts';
import type { SlotTask } from './slot.ts';

const STDERR_TAIL_CHARS = 4_096;

export interface SlotOutputOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** What runs while a line comes. */
  readonly running: () => SlotTask | undefined;
}

/** What the process of a slot prints: logged line by line. The end of its stderr says why it ended. */
export class SlotOutput {
  #stderrTail = '';

  constructor(child: ChildProcess, { log, clock, running }: SlotOutputOptions) {
    for (const [name, stream] of [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const) {
      if (!stream) continue;
      const onLine = (line: string): void => {
        if (name === 'stderr') this.#stderrTail = `${this.#stderrTail}\n${line}`.slice(-STDERR_TAIL_CHARS);
        log.info({ stream: name, ...logFields(running()), line }, 'slot output');
      };
      const onDropped = (lines: number): void =>
        log.warn({ stream: name, lines }, 'slot output was dropped: it comes too fast');
      forwardLines(stream, onLine, onDropped, clock);
    }
  }

  get stderrTail(): string {
    return this.#stderrTail;
  }
}

/** Fields of a log line about a task. */
export function logFields(task: SlotTask | undefined): object {
  if (!task) return {};
  const { application, batchTime, stage, partition, attempt } = task.key;
  return { application, batchTime, stage, partition, attempt };
}

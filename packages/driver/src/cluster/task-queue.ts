import type { TaskRun } from './task-run.ts';

/** First attempts in order of arrival. A task may stand in several queues: whoever comes later skips it. */
export class TaskQueue {
  readonly #tasks: TaskRun[] = [];
  #head = 0;

  push(task: TaskRun): void {
    this.#tasks.push(task);
  }

  /** Takes the next task that still waits for its first attempt. */
  take(): TaskRun | undefined {
    while (this.#head < this.#tasks.length) {
      const task = this.#tasks[this.#head++];
      if (task && waitsForFirst(task)) return task;
    }
    return undefined;
  }

  isEmpty(): boolean {
    for (let task = this.#tasks[this.#head]; task !== undefined; task = this.#tasks[++this.#head]) {
      if (waitsForFirst(task)) return false;
    }
    return true;
  }

  /** Those that still wait, in order. */
  waiting(): readonly TaskRun[] {
    return this.#tasks.slice(this.#head).filter(waitsForFirst);
  }
}

function waitsForFirst(task: TaskRun): boolean {
  return task.status.state === 'WAITING' && !task.retries;
}

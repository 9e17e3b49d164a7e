import type { TaskRun } from './task-run.ts';

/** First attempts in order of arrival. A task may stand in several queues: whoever comes later skips it. */
export class TaskQueue {
  readonly #tasks: TaskRun[] = [];
  #head = 0;

  push(task: TaskRun): void {
    this.#tasks.push(task);
  }

  /** The next task that still waits for its first attempt. */
  peek(): TaskRun | undefined {
    for (let task = this.#tasks[this.#head]; task !== undefined; task = this.#tasks[++this.#head]) {
      if (waitsForFirst(task)) return task;
    }
    return undefined;
  }

  take(): TaskRun | undefined {
    const task = this.peek();
    if (task) this.#head++;
    return task;
  }

  isEmpty(): boolean {
    return this.peek() === undefined;
  }

  /** Those that still wait, in order. */
  waiting(): readonly TaskRun[] {
    return this.#tasks.slice(this.#head).filter(waitsForFirst);
  }
}

function waitsForFirst(task: TaskRun): boolean {
  return task.status.state === 'WAITING' && !task.retries;
}

import { isKafkaAway } from '../../kafka-away.ts';
import type { TaskEvent } from '../../task-backend.ts';

/** Says that tasks wait for a Kafka that is away, when the first one does, and when the last one needs no longer. */
export class KafkaWatch {
  readonly #kafkaTimeoutMs: number;
  readonly #notice: (level: 'info' | 'warn', text: string) => void;
  /** Tasks of which no attempt has reached Kafka since one could not. */
  readonly #waiting = new Set<string>();

  constructor(kafkaTimeoutMs: number, notice: (level: 'info' | 'warn', text: string) => void) {
    this.#kafkaTimeoutMs = kafkaTimeoutMs;
    this.#notice = notice;
  }

  see(event: TaskEvent): void {
    const isKnown = this.#waiting.size > 0;
    if (event.kind === 'attempt-failed' && isKafkaAway(event.error)) {
      this.#waiting.add(taskOf(event));
      if (isKnown) return;
      const upTo = `${Math.round(this.#kafkaTimeoutMs / 1000)} s`;
      this.#notice('warn', `tasks wait for Kafka, up to ${upTo}: ${event.error.what}`);
    } else if (isKnown && event.kind === 'task-succeeded') {
      if (this.#waiting.delete(taskOf(event)) && this.#waiting.size === 0)
        this.#notice('info', 'tasks reach Kafka again');
    }
  }

  /** The batch is over, however it ended. */
  endBatch(): void {
    this.#waiting.clear();
  }
}

function taskOf({ key, partition }: TaskEvent): string {
  return `${key.batchTime}/${key.jobId}/${key.stageId}/${partition}`;
}

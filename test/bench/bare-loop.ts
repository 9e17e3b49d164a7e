import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KafkaOptions, OffsetRange } from '@millrace/kafka';
import type { BareMode } from './bare-reader.ts';

/** Two plain processes that read the same ranges as two executors of one slot would: what the engine's overhead is measured against. */
export class BareLoop {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(): Promise<BareLoop> {
    const children = [0, 1].map(() =>
      fork(fileURLToPath(new URL('./bare-reader.ts', import.meta.url)), { serialization: 'advanced' }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    return new BareLoop(children);
  }

  /** Milliseconds until both have read their half, and written it to the topic `out` (echo). */
  async run(
    client: KafkaOptions,
    ranges: readonly OffsetRange[],
    mode: BareMode,
    out?: string,
  ): Promise<number> {
    const started = performance.now();
    await Promise.all(
      this.#children.map(async (child, index) => {
        const done = once(child, 'message');
        child.send({ client, ranges: ranges.filter((_, i) => i % 2 === index), mode, out });
        await done;
      }),
    );
    return performance.now() - started;
  }

  stop(): void {
    for (const child of this.#children) child.disconnect();
  }
}

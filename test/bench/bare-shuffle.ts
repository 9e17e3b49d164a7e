import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ShuffleTotal, ShuffleWork } from './bare-shuffler.ts';

/** Two plain processes that make, move and sum the rows of the shuffle benchmark. */
export class BareShuffle {
  readonly #children: readonly ChildProcess[];
  readonly #ports: readonly number[];

  private constructor(children: readonly ChildProcess[], ports: readonly number[]) {
    this.#children = children;
    this.#ports = ports;
  }

  static async start(): Promise<BareShuffle> {
    const children = [0, 1].map(() => fork(fileURLToPath(new URL('./bare-shuffler.ts', import.meta.url))));
    const ports = await Promise.all(
      children.map(async (child) => (await once(child, 'message'))[0] as number),
    );
    return new BareShuffle(children, ports);
  }

  async run(chunks: number): Promise<ShuffleTotal & { readonly ms: number }> {
    const started = performance.now();
    const totals = await Promise.all(
      this.#children.map(async (child, half) => {
        const done = once(child, 'message');
        child.send({ half, chunks, port: this.#ports[1 - half] ?? 0 } satisfies ShuffleWork);
        return (await done)[0] as ShuffleTotal;
      }),
    );
    const ms = performance.now() - started;
    return totals.reduce((a, b) => ({ keys: a.keys + b.keys, sum: a.sum + b.sum, ms }), {
      keys: 0,
      sum: 0,
      ms,
    });
  }

  stop(): void {
    for (const child of this.#children) child.disconnect();
  }
}

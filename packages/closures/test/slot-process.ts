/** The executor's side of the tests: revives closures of the program in argv[2] and runs them. */
import { millraceResolveHook, openProgram } from '@millrace/closures';
import type { SlotCall, SlotReply } from './harness.ts';

millraceResolveHook();
const program = await openProgram(process.argv[2] ?? '');

async function collect(result: unknown): Promise<unknown> {
  const value = await result;
  if (typeof value !== 'object' || value === null) return value;
  if (Symbol.asyncIterator in value) {
    const items: unknown[] = [];
    for await (const item of value as AsyncIterable<unknown>) items.push(item);
    return items;
  }
  if (Symbol.iterator in value && 'next' in value) return [...(value as Iterable<unknown>)];
  return value;
}

async function answer(call: SlotCall): Promise<SlotReply> {
  const sums: Record<string, number> = {};
  try {
    const fn = await program.revive(call.bytes, {
      broadcast: (id) => ({ value: call.broadcasts[id] }),
      accumulator: (id) => ({
        add: (value) => {
          sums[id] = (sums[id] ?? 0) + (value as number);
        },
      }),
    });
    return { id: call.id, value: await collect(fn(...(call.args as never[]))), sums };
  } catch (error) {
    const { message, stack = '' } = error as Error;
    return { id: call.id, error: { message, stack }, sums };
  }
}

process.on('message', (call: SlotCall) => {
  void answer(call).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

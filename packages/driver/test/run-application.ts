import { pump, settle } from '../src/application/testing/pump.ts';
import { createEngine, type RunningEngine } from '../src/application/testing/run-engine.ts';
import type { ApplicationEvent, BatchSummary } from '../src/application-events.ts';
import type { World } from './world.ts';

export async function start(setup: World): Promise<RunningEngine> {
  const running = await createEngine(setup);
  await pump(setup.clock, running.engine.validate());
  await pump(setup.clock, running.engine.start());
  return running;
}

export const batches = (events: readonly ApplicationEvent[]): BatchSummary[] =>
  events.flatMap((event) => (event.kind === 'batch-completed' ? [event.batch] : []));

export async function completed(setup: World, { events }: RunningEngine, count: number): Promise<void> {
  for (let waited = 0; batches(events).length < count; waited += 10) {
    if (waited > 60_000) throw new Error(`${batches(events).length} of ${count} batches after a minute`);
    setup.clock.advance(10);
    await settle();
  }
}

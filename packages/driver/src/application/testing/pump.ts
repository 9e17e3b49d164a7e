/** What `pump` moves: a VirtualClock of @millrace/testing. */
export interface MovableClock {
  advance(ms: number): void;
}

/** Lets everything run that can run without time going on. */
export async function settle(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

/** Moves time in small steps until `promise` is settled or `limitMs` of virtual time are over. */
export async function pump<T>(
  clock: MovableClock,
  promise: Promise<T>,
  options: { readonly limitMs?: number; readonly stepMs?: number } = {},
): Promise<T> {
  const { limitMs = 600_000, stepMs = 10 } = options;
  const state = { done: false };
  const watched = promise.finally(() => {
    state.done = true;
  });
  watched.catch(() => undefined);
  await settle();
  for (let waited = 0; !state.done; waited += stepMs) {
    if (waited > limitMs) throw new Error(`not done after ${limitMs} virtual ms`);
    clock.advance(stepMs);
    await settle();
  }
  return watched;
}

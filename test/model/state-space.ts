import { createHash } from 'node:crypto';

/** A system: plain data as its state, and everything that may happen next. */
export interface Model<State> {
  readonly initial: State;
  /** Every step from a state: its name, and what it does to a copy of the state. */
  steps(state: State): readonly Step<State>[];
  /** What is wrong with a state. */
  violation(state: State): string | undefined;
}

export interface Step<State> {
  readonly name: string;
  readonly apply: (state: State) => void;
}

export interface Exploration {
  readonly states: number;
  /** The shortest way into a state that must not be. */
  readonly counterexample: { readonly violation: string; readonly trace: readonly string[] } | undefined;
}

/** Visits every state that can be reached, the nearest first (explicit-state model checking). @throws when there are more than `statesMax`. */
export function explore<State>(model: Model<State>, statesMax: number): Exploration {
  // A state is known by a digest: its text would take a hundred times the memory.
  const known = new Set<string>();
  const from: number[] = [];
  const names: string[] = [];
  const nameIds = new Map<string, number>();
  const steps: number[] = [];
  let wave: { readonly text: string; readonly id: number }[] = [];
  const add = (text: string, parent: number, step: string): void => {
    const digest = createHash('sha1').update(text).digest('base64');
    if (known.has(digest)) return;
    known.add(digest);
    if (!nameIds.has(step)) nameIds.set(step, names.push(step) - 1);
    from.push(parent);
    next.push({ text, id: steps.push(nameIds.get(step) as number) - 1 });
  };
  let next: typeof wave = [];
  add(JSON.stringify(model.initial), -1, '');
  while (next.length > 0) {
    wave = next;
    next = [];
    for (const { text, id } of wave) {
      const state = JSON.parse(text) as State;
      const violation = model.violation(state);
      if (violation !== undefined) {
        const trace: string[] = [];
        for (let at = id; at > 0; at = from[at] as number) trace.push(names[steps[at] as number] as string);
        return { states: known.size, counterexample: { violation, trace: trace.toReversed() } };
      }
      for (const { name, apply } of model.steps(state)) {
        const changed = JSON.parse(text) as State;
        apply(changed);
        add(JSON.stringify(changed), id, name);
      }
    }
    if (known.size > statesMax) throw new Error(`more than ${statesMax} states`);
  }
  return { states: known.size, counterexample: undefined };
}

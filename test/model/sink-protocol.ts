import { claimedProgress, type Progress, progressVerdict } from '@millrace/kafka';
import type { Model, Step } from './state-space.ts';

/*
 * The exactly-once protocol of the Kafka sink for one transactional id: two runs of the application (the older one does not know that it is
 * over), two attempts of the older one's task, requests that arrive late, and replies that never do. The broker is the weaker one of
 * Kafka's: an epoch of a producer outlives its transaction (before KIP-890).
 */

/** A fault of the protocol that the checker must find. */
export type Mutant =
  | 'progress is read before init'
  | 'no claim'
  | 'only later batches are skipped'
  | 'epochs are not compared'
  | 'no init after an unknown result';

type Kind = 'init' | 'read' | 'produce' | 'progress' | 'commit';

interface Request {
  readonly actor: number;
  readonly kind: Kind;
  readonly producerEpoch: number;
  /** Nobody waits for its reply any more. */
  isLate: boolean;
}

type Run = 1 | 2;

interface Record {
  readonly name: 'r1' | 'r2';
  readonly run: Run;
}

/** A task attempt, or a run's claim. */
interface Actor {
  readonly run: Run;
  readonly isClaim: boolean;
  record: Record['name'];
  /** What it writes as its progress. */
  own: Progress;
  producerEpoch: number;
  found: Progress | null;
  state: 'not started' | 'at work' | 'succeeded' | 'gave up';
}

interface State {
  /** The coordinator's. */
  producerEpoch: number;
  transaction: { records: Record[]; progress: Progress | null } | null;
  visible: Record[];
  progress: Progress;
  /** Results that somebody never learnt. */
  unknowns: number;
  /** On their way. */
  requests: Request[];
  second: 'not begun' | 'claiming' | 'at work';
  /** The log says that batch 1 is done. */
  isCommitted: boolean;
  /** An operator gave batch 1 up: the second run reads its records again. */
  isReset: boolean;
  actors: [Actor, Actor, Actor, Actor];
  broken: string | null;
}

const NAMES = ['attempt 0', 'attempt 1', 'the claim', 'the attempt of the second run'] as const;
const CLAIM = 2;
const LAST = 3;
const BATCH_1: Progress = { epoch: 1, batchTime: 1, planHash: 'A', log: 'l' };
const BATCH_2: Progress = { epoch: 2, batchTime: 2, planHash: 'B', log: 'l' };

function actor(run: Run, isClaim: boolean): Actor {
  const own = { ...BATCH_1, epoch: run };
  return {
    run,
    isClaim,
    record: 'r1',
    own,
    producerEpoch: 0,
    found: null,
    state: 'not started',
  };
}

export interface SinkProtocolOptions {
  readonly mutant?: Mutant;
  /** How many results may be never learnt. */
  readonly unknownsMax: number;
}

export function sinkProtocol(options: SinkProtocolOptions): Model<State> {
  const rules = new Rules(options);
  const initial: State = {
    producerEpoch: 0,
    transaction: null,
    visible: [],
    unknowns: 0,
    progress: { epoch: 1, batchTime: 0, planHash: '', log: 'l' },
    requests: [],
    second: 'not begun',
    isCommitted: false,
    isReset: false,
    actors: [actor(1, false), actor(1, false), actor(2, true), actor(2, false)],
    broken: null,
  };
  rules.begin(initial, 0);
  rules.begin(initial, 1);
  return { initial, steps: (state) => rules.steps(state), violation };
}

class Rules {
  readonly #mutant: Mutant | undefined;
  readonly #unknownsMax: number;
  readonly #order: readonly Kind[];

  constructor({ mutant, unknownsMax }: SinkProtocolOptions) {
    this.#mutant = mutant;
    this.#unknownsMax = unknownsMax;
    this.#order =
      mutant === 'progress is read before init'
        ? ['read', 'init', 'produce', 'progress', 'commit']
        : ['init', 'read', 'produce', 'progress', 'commit'];
  }

  begin(state: State, index: number): void {
    (state.actors[index] as Actor).state = 'at work';
    this.#send(state, index, this.#order[0] as Kind);
  }

  steps(state: State): readonly Step<State>[] {
    const steps: Step<State>[] = [];
    for (const [at, request] of state.requests.entries()) this.#requestSteps(state, at, request, steps);
    for (const index of [0, 1]) {
      if (state.actors[index]?.state !== 'succeeded' || state.second !== 'not begun' || state.isCommitted)
        continue;
      steps.push({
        name: 'the first run logs that batch 1 is done',
        apply: (s) => {
          s.isCommitted = true;
        },
      });
    }
    if (state.second === 'not begun')
      for (const isReset of state.isCommitted ? [false] : [false, true])
        steps.push({
          name: `the second run begins${isReset ? ', after an operator gave the batch up' : ''}`,
          apply: (s) => this.#beginSecond(s, isReset),
        });
    return steps;
  }

  #requestSteps(
    state: State,
    at: number,
    { actor: index, kind, isLate }: Request,
    steps: Step<State>[],
  ): void {
    const what = `${kind} of ${NAMES[index]}`;
    const mayLose = !isLate && state.unknowns < this.#unknownsMax;
    if (mayLose)
      steps.push({
        name: `${what} is waited for no longer`,
        apply: (s) => {
          (s.requests[at] as Request).isLate = true;
          this.#unknown(s, index, kind);
        },
      });
    // Fetching offsets waits for a transaction that is about to change them (require_stable).
    if (kind === 'read' && state.transaction?.progress) return;
    if (isLate) {
      steps.push({ name: `${what} arrives late`, apply: (s) => void this.#arrive(s, at) });
      return;
    }
    steps.push({
      name: `${what} arrives`,
      apply: (s) => this.#replied(s, index, kind, this.#arrive(s, at)),
    });
    if (mayLose)
      steps.push({
        name: `${what} arrives, its reply does not`,
        apply: (s) => {
          this.#arrive(s, at);
          this.#unknown(s, index, kind);
        },
      });
  }

  #send(state: State, index: number, kind: Kind): void {
    const { producerEpoch } = state.actors[index] as Actor;
    state.requests.push({ actor: index, kind, producerEpoch, isLate: false });
    this.#forget(state);
  }

  /** What changes nothing when it arrives, and an order that means nothing, would only multiply the states. */
  #forget(state: State): void {
    state.requests = state.requests
      .filter(
        ({ kind, producerEpoch, isLate }) =>
          !isLate || kind === 'init' || (kind !== 'read' && producerEpoch === state.producerEpoch),
      )
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  /** What the coordinator does with a request; false: it was refused. */
  #arrive(state: State, at: number): boolean {
    const { actor: index, kind, producerEpoch } = state.requests.splice(at, 1)[0] as Request;
    const accepted = this.#handle(state, state.actors[index] as Actor, kind, producerEpoch);
    this.#forget(state);
    return accepted;
  }

  #handle(state: State, { record, run, own }: Actor, kind: Kind, producerEpoch: number): boolean {
    if (kind === 'init') {
      state.producerEpoch++;
      state.transaction = null;
      return true;
    }
    if (kind === 'read') return true;
    if (producerEpoch !== state.producerEpoch) return false;
    if (kind === 'commit') {
      const { records, progress } = state.transaction ?? { records: [], progress: null };
      if (state.second === 'at work' && records.some((written) => written.run === 1))
        state.broken = 'what the first run wrote became visible after the second one had claimed';
      state.visible.push(...records);
      state.progress = progress ?? state.progress;
      state.transaction = null;
      return true;
    }
    state.transaction ??= { records: [], progress: null };
    if (kind === 'produce') state.transaction.records.push({ name: record, run });
    else state.transaction.progress = own;
    return true;
  }

  #replied(state: State, index: number, kind: Kind, accepted: boolean): void {
    const one = state.actors[index] as Actor;
    if (!accepted) {
      end(one, 'gave up');
      return;
    }
    if (kind === 'init') one.producerEpoch = state.producerEpoch;
    if (kind === 'read') one.found = state.progress;
    const next = this.#order[this.#order.indexOf(kind) + 1];
    if (next === 'produce') this.#decide(state, index, one);
    else if (next !== undefined) this.#send(state, index, next);
    else {
      end(one, 'succeeded');
      if (one.isClaim) {
        state.second = 'at work';
        this.begin(state, LAST);
      }
    }
  }

  #decide(state: State, index: number, one: Actor): void {
    const found = one.found ?? undefined;
    one.found = null;
    if (one.isClaim) {
      const claimed = claimedProgress(found, { epoch: one.run, log: 'l' });
      one.own = claimed ?? one.own;
      if (claimed) this.#send(state, index, 'progress');
      else end(one, 'gave up');
      return;
    }
    const verdict = this.#verdict(found, one.own);
    if (verdict === 'run') this.#send(state, index, 'produce');
    else end(one, verdict === 'skip' ? 'succeeded' : 'gave up');
  }

  #verdict(found: Progress | undefined, progress: Progress): string {
    const own = { ...progress, after: progress.batchTime - 1 };
    switch (this.#mutant) {
      case 'only later batches are skipped':
        if (found && found.epoch > own.epoch) return 'fenced';
        return found && found.batchTime > own.batchTime ? 'skip' : 'run';
      case 'epochs are not compared':
        return progressVerdict(found && { ...found, epoch: 0 }, own);
      default:
        return progressVerdict(found, own);
    }
  }

  /** It never learns what came of its request. */
  #unknown(state: State, index: number, kind: Kind): void {
    const one = state.actors[index] as Actor;
    state.unknowns++;
    const isBlind = this.#mutant === 'no init after an unknown result' && kind !== 'init' && kind !== 'read';
    if (isBlind && state.producerEpoch === one.producerEpoch) state.transaction = null;
    const again = one.isClaim ? 'progress' : 'produce';
    this.#send(state, index, isBlind ? again : (this.#order[0] as Kind));
  }

  #beginSecond(state: State, isReset: boolean): void {
    state.isReset = isReset;
    const attempt = state.actors[LAST];
    if (isReset || state.isCommitted) attempt.own = BATCH_2;
    if (state.isCommitted) attempt.record = 'r2';
    const claims = this.#mutant !== 'no claim';
    state.second = claims ? 'claiming' : 'at work';
    this.begin(state, claims ? CLAIM : LAST);
  }
}

function end(one: Actor, state: Actor['state']): void {
  Object.assign(one, { state, producerEpoch: 0, found: null });
}

function violation({ broken, visible, isReset, isCommitted, actors }: State): string | undefined {
  if (broken !== null) return broken;
  const timesSeen = (name: Record['name']): number => visible.filter((record) => record.name === name).length;
  const r1 = timesSeen('r1');
  if (!isReset && r1 > 1) return `record r1 is visible ${r1} times`;
  if (isCommitted && r1 !== 1)
    return `the log says that batch 1 is done, and record r1 is visible ${r1} times`;
  if (timesSeen('r2') > 1) return 'record r2 is visible more than once';
  const { state, record } = actors[LAST];
  return state === 'succeeded' && timesSeen(record) === 0
    ? `its task has succeeded, and record ${record} is not visible`
    : undefined;
}

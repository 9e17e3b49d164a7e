import { MillraceError, type Random, systemRandom } from '@millrace/common';
import { API_KEY, type ApiName, type KafkaErrorNumber } from '@millrace/kafka';

// A test that adds rules in a loop and never removes them should hear of it.
const RULES_MAX = 1000;

/** Which requests a fault meets: all that are given must match. A request with several partitions matches when one of them does. */
export interface FaultMatch {
  readonly api?: ApiName;
  readonly topic?: string;
  readonly partition?: number;
  readonly clientId?: string;
  /** The node that got the request. */
  readonly nodeId?: number;
}

/**
 * delay: answers later, and holds later requests of the same connection up, as Kafka does.
 * drop: never answers. close: closes the connection. Both either instead of the work, or `after` it: then it is done but the client cannot know.
 * close `midway`: after the work, and half of the answer has been sent.
 * late: closes the connection and does the work so much later, as with a request that lingered on its way: nobody hears of it.
 * throttle: answers Fetch and Produce with this throttle time (KIP-219), Fetch with nothing else.
 * error: answers this error number for what matched, without the work.
 * changeLeader: moves the matching partitions to another node (absent: the next) and raises their leader epochs, then goes on.
 */
export type FaultAction =
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'drop'; readonly when?: 'before' | 'after' }
  | { readonly kind: 'close'; readonly when?: 'before' | 'after' | 'midway' }
  | { readonly kind: 'late'; readonly delayMs: number }
  | { readonly kind: 'throttle'; readonly throttleMs: number }
  | { readonly kind: 'error'; readonly code: KafkaErrorNumber }
  | { readonly kind: 'changeLeader'; readonly nodeId?: number };

export interface FaultRule extends FaultMatch {
  readonly action: FaultAction;
  /** How often it strikes at most. Default 1; Infinity for always. */
  readonly times?: number;
  /** How many matching requests pass first. Default 0. */
  readonly after?: number;
  /** Of the matching requests, every k-th is struck. Default 1: each. */
  readonly every?: number;
  /** Chance in [0, 1] that a request which would be struck is. Default 1. */
  readonly probability?: number;
  /** For `probability`: a seeded one makes a run repeatable. */
  readonly random?: Random;
}

/** A rule at work. */
export interface InjectedFault {
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
}

/** A partition that a request is about; without a partition: the whole topic. */
export interface FaultTarget {
  readonly topic: string;
  readonly partition?: number;
}

/** What the hooks need to know of a request. */
export interface RequestFacts {
  readonly apiKey: number;
  readonly clientId: string | null;
  readonly nodeId: number;
  readonly targets: readonly FaultTarget[];
}

/** The faults that strike one request. */
export interface RequestFaults {
  readonly delayMs: number;
  readonly before: 'drop' | 'close' | undefined;
  readonly after: 'drop' | 'close' | undefined;
  /** The answer is cut. */
  readonly midway: boolean;
  /** The work is done so many ms after the connection was closed. */
  readonly lateMs: number | undefined;
  readonly throttleMs: number;
  readonly leaderChanges: ReadonlyArray<{
    readonly target: FaultTarget;
    readonly nodeId: number | undefined;
  }>;
  /** The injected error number for a partition, or for the request as a whole; undefined: none. */
  errorFor(topic?: string, partition?: number): KafkaErrorNumber | undefined;
}

interface ActiveRule {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
}

const NO_FAULTS: RequestFaults = {
  delayMs: 0,
  before: undefined,
  after: undefined,
  midway: false,
  lateMs: undefined,
  throttleMs: 0,
  leaderChanges: [],
  errorFor: () => undefined,
};

/** The faults of a broker: rules that strike matching requests. */
export class FaultHooks {
  private readonly rules = new Set<ActiveRule>();

  /** @throws MillraceError CONFIG_INVALID for numbers that make no sense, or too many rules. */
  inject(rule: FaultRule): InjectedFault {
    checkRule(rule, this.rules.size);
    const active: ActiveRule = { rule, seen: 0, hits: 0 };
    this.rules.add(active);
    return {
      get hits() {
        return active.hits;
      },
      remove: () => void this.rules.delete(active),
    };
  }

  clear(): void {
    this.rules.clear();
  }

  /** Counts the request against every rule that matches it. */
  strike(facts: RequestFacts): RequestFaults {
    if (this.rules.size === 0) return NO_FAULTS;
    const struck = [...this.rules].filter((active) => matches(active.rule, facts) && this.counts(active));
    return struck.length === 0
      ? NO_FAULTS
      : combine(
          struck.map(({ rule }) => rule),
          facts,
        );
  }

  private counts(active: ActiveRule): boolean {
    const { rule } = active;
    active.seen += 1;
    const turn = active.seen - (rule.after ?? 0);
    if (turn <= 0 || turn % (rule.every ?? 1) !== 0) return false;
    if (rule.probability !== undefined && (rule.random ?? systemRandom).next() >= rule.probability)
      return false;
    active.hits += 1;
    if (active.hits >= (rule.times ?? 1)) this.rules.delete(active);
    return true;
  }
}

function checkRule(rule: FaultRule, rules: number): void {
  const { times = 1, after = 0, every = 1, probability = 1 } = rule;
  const problems = [
    times > 0 ? '' : `times must be positive, not ${times}`,
    Number.isInteger(after) && after >= 0 ? '' : `after must be an integer ≥ 0, not ${after}`,
    Number.isInteger(every) && every >= 1 ? '' : `every must be an integer ≥ 1, not ${every}`,
    probability >= 0 && probability <= 1 ? '' : `probability must be in [0, 1], not ${probability}`,
    rule.api === undefined || Object.hasOwn(API_KEY, rule.api) ? '' : `there is no API "${rule.api}"`,
    rules < RULES_MAX ? '' : `there are ${rules} faults already`,
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new MillraceError('CONFIG_INVALID', `a fault: ${problems.join('; ')}`);
}

function matches(rule: FaultRule, facts: RequestFacts): boolean {
  if (rule.api !== undefined && API_KEY[rule.api] !== facts.apiKey) return false;
  if (rule.nodeId !== undefined && rule.nodeId !== facts.nodeId) return false;
  if (rule.clientId !== undefined && rule.clientId !== facts.clientId) return false;
  if (rule.topic === undefined && rule.partition === undefined) return true;
  return facts.targets.some((target) => matchesTarget(rule, target.topic, target.partition));
}

function matchesTarget(rule: FaultRule, topic: string | undefined, partition: number | undefined): boolean {
  // A side that names no partition is about all of them.
  return (
    (rule.topic === undefined || rule.topic === topic) &&
    (rule.partition === undefined || partition === undefined || rule.partition === partition)
  );
}

function combine(rules: readonly FaultRule[], facts: RequestFacts): RequestFaults {
  const errors = rules.flatMap((rule) =>
    rule.action.kind === 'error' ? [{ rule, code: rule.action.code }] : [],
  );
  const silence = (when: 'before' | 'after') =>
    rules
      .map(({ action }) => action)
      .find(
        (action) => (action.kind === 'drop' || action.kind === 'close') && (action.when ?? 'before') === when,
      )?.kind as 'drop' | 'close' | undefined;
  return {
    delayMs: rules.reduce((sum, { action }) => sum + (action.kind === 'delay' ? action.delayMs : 0), 0),
    before: silence('before'),
    after: silence('after'),
    midway: rules.some(({ action }) => action.kind === 'close' && action.when === 'midway'),
    lateMs: rules.map(({ action }) => action).find((action) => action.kind === 'late')?.delayMs,
    throttleMs: rules.reduce(
      (most, { action }) => (action.kind === 'throttle' ? Math.max(most, action.throttleMs) : most),
      0,
    ),
    leaderChanges: rules.flatMap((rule) => {
      const { action } = rule;
      if (action.kind !== 'changeLeader') return [];
      return facts.targets
        .filter((target) => matchesTarget(rule, target.topic, target.partition))
        .map((target) => ({ target, nodeId: action.nodeId }));
    }),
    errorFor: (topic, partition) => errors.find(({ rule }) => matchesTarget(rule, topic, partition))?.code,
  };
}

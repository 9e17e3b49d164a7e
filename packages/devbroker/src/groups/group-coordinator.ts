import { type TransitionTable, transition } from '@millrace/common';
import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import { failedJoin, failedSync, type GroupEffect } from './group-answers.ts';
import {
  commonProtocols,
  electProtocol,
  type JoinRequest,
  type Member,
  NO_BYTES,
  type ReplyTo,
  sameProtocols,
} from './group-member.ts';

/** Kafka's names (GroupMetadata; DescribeGroups shows them as GROUP_STATE_NAMES). */
export type GroupState = 'EMPTY' | 'PREPARING_REBALANCE' | 'COMPLETING_REBALANCE' | 'STABLE';

export const GROUP_STATE_NAMES: Readonly<Record<GroupState, string>> = {
  EMPTY: 'Empty',
  PREPARING_REBALANCE: 'PreparingRebalance',
  COMPLETING_REBALANCE: 'CompletingRebalance',
  STABLE: 'Stable',
};

const MOVES: TransitionTable<GroupState> = {
  EMPTY: ['PREPARING_REBALANCE'],
  PREPARING_REBALANCE: ['COMPLETING_REBALANCE', 'EMPTY'],
  COMPLETING_REBALANCE: ['STABLE', 'PREPARING_REBALANCE'],
  STABLE: ['PREPARING_REBALANCE'],
};

// Every member costs memory, and a rebalance is quadratic in them.
const MEMBERS_MAX = 1000;

/**
 * One consumer group of the classic protocol as a state machine: no timers, no sockets. Each call is one event at the time `now`
 * (monotonic ms) and returns the answers to send; `nextDeadline` says when `expire` is due.
 * The rules are Apache Kafka's GroupCoordinator's (KIP-394 member ids; no static members).
 */
export class GroupCoordinator {
  readonly groupId: string;
  private currentState: GroupState = 'EMPTY';
  private generation = 0;
  private type: string | null = null;
  private protocol: string | null = null;
  private leaderId = '';
  /** In order of joining. */
  private readonly byId = new Map<string, Member>();
  /** Ids that were handed out and not yet used → when they lapse. */
  private readonly pending = new Map<string, number>();
  /** While preparing or completing: members that have not joined again, or not asked for their assignment, by then are removed. */
  private rebalanceEndsAt = Number.POSITIVE_INFINITY;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get state(): GroupState {
    return this.currentState;
  }

  get generationId(): number {
    return this.generation;
  }

  get protocolType(): string {
    return this.type ?? '';
  }

  get protocolName(): string {
    return this.currentState === 'STABLE' ? (this.protocol ?? '') : '';
  }

  get members(): readonly Member[] {
    return [...this.byId.values()];
  }

  /** When `expire` has to be called next: monotonic ms, Infinity for never. */
  get nextDeadline(): number {
    const ends = [...this.byId.values()].map((member) => (isWaiting(member) ? Infinity : member.expiresAt));
    return Math.min(this.rebalanceEndsAt, ...this.pending.values(), ...ends);
  }

  /** `newId` is given to a member that has none; with `requireKnownId` it has to join again with it. */
  join(
    request: JoinRequest,
    reply: ReplyTo,
    now: number,
    identity: { readonly newId: string; readonly requireKnownId: boolean },
  ): readonly GroupEffect[] {
    const isNew = request.memberId === '';
    const known = this.byId.get(request.memberId);
    if (!isNew && known === undefined && !this.pending.has(request.memberId)) {
      return [failedJoin(reply, request.memberId, KAFKA_ERROR.UNKNOWN_MEMBER_ID)];
    }
    const refusal = this.joinRefusal(request, known);
    if (refusal !== undefined) return [failedJoin(reply, request.memberId, refusal)];
    if (isNew && identity.requireKnownId) {
      this.pending.set(identity.newId, now + request.sessionTimeoutMs);
      return [failedJoin(reply, identity.newId, KAFKA_ERROR.MEMBER_ID_REQUIRED)];
    }
    return known === undefined
      ? this.admit(request, isNew ? identity.newId : request.memberId, reply, now)
      : this.rejoin(known, request, reply, now);
  }

  sync(
    request: {
      readonly memberId: string;
      readonly generationId: number;
      readonly assignments: ReadonlyMap<string, Buffer>;
    },
    reply: ReplyTo,
    now: number,
  ): readonly GroupEffect[] {
    const member = this.byId.get(request.memberId);
    const problem = this.generationProblem(member, request.generationId);
    if (member === undefined || problem !== KAFKA_ERROR.NONE) return [failedSync(reply, problem)];
    touch(member, now);
    if (this.currentState === 'STABLE') return [this.synced(reply, member)];
    if (this.currentState !== 'COMPLETING_REBALANCE') {
      return [failedSync(reply, KAFKA_ERROR.REBALANCE_IN_PROGRESS)];
    }
    const superseded = member.syncing;
    member.syncing = reply;
    const effects =
      superseded === undefined ? [] : [failedSync(superseded, KAFKA_ERROR.REBALANCE_IN_PROGRESS)];
    return member.id === this.leaderId ? [...effects, ...this.assign(request.assignments, now)] : effects;
  }

  heartbeat(memberId: string, generationId: number, now: number): KafkaErrorNumber {
    const member = this.byId.get(memberId);
    const problem = this.generationProblem(member, generationId);
    if (member === undefined || problem !== KAFKA_ERROR.NONE) return problem;
    touch(member, now);
    return this.currentState === 'PREPARING_REBALANCE' ? KAFKA_ERROR.REBALANCE_IN_PROGRESS : KAFKA_ERROR.NONE;
  }

  leave(
    memberId: string,
    now: number,
  ): { readonly errorCode: KafkaErrorNumber; readonly effects: readonly GroupEffect[] } {
    const member = this.byId.get(memberId);
    if (member === undefined && !this.pending.delete(memberId)) {
      return { errorCode: KAFKA_ERROR.UNKNOWN_MEMBER_ID, effects: [] };
    }
    const effects = member === undefined ? this.completeJoinWhenAllHere(now) : this.remove([member], now);
    return { errorCode: KAFKA_ERROR.NONE, effects };
  }

  /** Whether an offset commit is allowed; generation −1 and no member id is somebody who manages partitions himself. */
  checkCommit(memberId: string, generationId: number, now: number): KafkaErrorNumber {
    if (generationId < 0 && memberId === '' && this.byId.size === 0) return KAFKA_ERROR.NONE;
    const member = this.byId.get(memberId);
    const problem = this.generationProblem(member, generationId);
    if (member === undefined || problem !== KAFKA_ERROR.NONE) return problem;
    touch(member, now);
    return this.currentState === 'COMPLETING_REBALANCE'
      ? KAFKA_ERROR.REBALANCE_IN_PROGRESS
      : KAFKA_ERROR.NONE;
  }

  /** Removes members whose session is over, ends a rebalance that took too long, forgets unused ids. */
  expire(now: number): readonly GroupEffect[] {
    for (const [id, lapsesAt] of this.pending) if (lapsesAt <= now) this.pending.delete(id);
    const late = now >= this.rebalanceEndsAt;
    const preparing = this.currentState === 'PREPARING_REBALANCE';
    const dead = this.members.filter(
      (member) =>
        (!isWaiting(member) && member.expiresAt <= now) ||
        (late && (preparing ? member.joining : member.syncing) === undefined),
    );
    if (late) this.pending.clear();
    return dead.length > 0 ? this.remove(dead, now) : this.completeJoinWhenAllHere(now);
  }

  private joinRefusal(request: JoinRequest, known: Member | undefined): KafkaErrorNumber | undefined {
    const others = this.members.filter((member) => member !== known);
    if (known === undefined && others.length + this.pending.size >= MEMBERS_MAX)
      return KAFKA_ERROR.GROUP_MAX_SIZE_REACHED;
    if (request.protocols.length === 0 || request.protocolType === '') {
      return KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL;
    }
    if (others.length === 0) return undefined;
    const common = commonProtocols(others);
    const fits =
      request.protocolType === this.type && request.protocols.some(({ name }) => common.includes(name));
    return fits ? undefined : KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL;
  }

  private admit(request: JoinRequest, id: string, reply: ReplyTo, now: number): readonly GroupEffect[] {
    this.pending.delete(id);
    this.type = request.protocolType;
    this.byId.set(id, {
      id,
      clientId: request.clientId,
      clientHost: request.clientHost,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      protocols: request.protocols,
      assignment: NO_BYTES,
      joining: reply,
      syncing: undefined,
      expiresAt: now + request.sessionTimeoutMs,
    });
    return this.rebalance(now);
  }

  private rejoin(member: Member, request: JoinRequest, reply: ReplyTo, now: number): readonly GroupEffect[] {
    const unchanged = sameProtocols(member.protocols, request.protocols);
    // A lost answer to a join is given again; the leader's join is its way to ask for a rebalance.
    const settled =
      this.currentState === 'COMPLETING_REBALANCE' ||
      (this.currentState === 'STABLE' && member.id !== this.leaderId);
    if (unchanged && settled) {
      touch(member, now);
      return [this.joined(reply, member)];
    }
    const superseded = member.joining;
    member.joining = reply;
    member.protocols = request.protocols;
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    const effects =
      superseded === undefined ? [] : [failedJoin(superseded, member.id, KAFKA_ERROR.REBALANCE_IN_PROGRESS)];
    return [...effects, ...this.rebalance(now)];
  }

  /** Goes (or stays) preparing, and completes at once when nobody is missing. */
  private rebalance(now: number): readonly GroupEffect[] {
    const effects: GroupEffect[] = [];
    for (const member of this.members) {
      if (member.syncing === undefined) continue;
      effects.push(failedSync(member.syncing, KAFKA_ERROR.REBALANCE_IN_PROGRESS));
      member.syncing = undefined;
      touch(member, now);
    }
    if (this.currentState !== 'PREPARING_REBALANCE') {
      this.goTo('PREPARING_REBALANCE');
      this.rebalanceEndsAt = this.rebalanceEnd(now);
    }
    return [...effects, ...this.completeJoinWhenAllHere(now)];
  }

  private completeJoinWhenAllHere(now: number): readonly GroupEffect[] {
    const allHere = this.pending.size === 0 && this.members.every((member) => member.joining !== undefined);
    return this.currentState === 'PREPARING_REBALANCE' && allHere ? this.completeJoin(now) : [];
  }

  private completeJoin(now: number): readonly GroupEffect[] {
    this.generation += 1;
    const members = this.members;
    const [first] = members;
    if (first === undefined) {
      this.rebalanceEndsAt = Infinity;
      this.goTo('EMPTY');
      this.protocol = null;
      this.leaderId = '';
      return [];
    }
    this.goTo('COMPLETING_REBALANCE');
    this.rebalanceEndsAt = this.rebalanceEnd(now);
    this.protocol = electProtocol(members);
    if (!this.byId.has(this.leaderId)) this.leaderId = first.id;
    return members.map((member) => {
      const reply = member.joining as ReplyTo;
      member.joining = undefined;
      member.assignment = NO_BYTES;
      touch(member, now);
      return this.joined(reply, member);
    });
  }

  private assign(assignments: ReadonlyMap<string, Buffer>, now: number): readonly GroupEffect[] {
    this.goTo('STABLE');
    this.rebalanceEndsAt = Infinity;
    return this.members.flatMap((member) => {
      member.assignment = assignments.get(member.id) ?? NO_BYTES;
      if (member.syncing === undefined) return [];
      const effect = this.synced(member.syncing, member);
      member.syncing = undefined;
      touch(member, now);
      return [effect];
    });
  }

  private remove(gone: readonly Member[], now: number): readonly GroupEffect[] {
    const effects = gone.flatMap((member): GroupEffect[] => {
      this.byId.delete(member.id);
      const waiting: GroupEffect[] = [];
      if (member.joining !== undefined) {
        waiting.push(failedJoin(member.joining, member.id, KAFKA_ERROR.UNKNOWN_MEMBER_ID));
      }
      if (member.syncing !== undefined)
        waiting.push(failedSync(member.syncing, KAFKA_ERROR.UNKNOWN_MEMBER_ID));
      return waiting;
    });
    return [...effects, ...this.rebalance(now)];
  }

  private rebalanceEnd(now: number): number {
    return now + Math.max(0, ...this.members.map((member) => member.rebalanceTimeoutMs));
  }

  private generationProblem(member: Member | undefined, generationId: number): KafkaErrorNumber {
    if (member === undefined) return KAFKA_ERROR.UNKNOWN_MEMBER_ID;
    return generationId === this.generation ? KAFKA_ERROR.NONE : KAFKA_ERROR.ILLEGAL_GENERATION;
  }

  private joined(to: ReplyTo, member: Member): GroupEffect {
    const isLeader = member.id === this.leaderId;
    return {
      to,
      answer: {
        kind: 'join',
        errorCode: KAFKA_ERROR.NONE,
        generationId: this.generation,
        protocolType: this.type,
        protocolName: this.protocol,
        leader: this.leaderId,
        memberId: member.id,
        members: isLeader
          ? this.members.map(({ id, protocols }) => ({
              memberId: id,
              metadata: protocols.find(({ name }) => name === this.protocol)?.metadata ?? NO_BYTES,
            }))
          : [],
      },
    };
  }

  private synced(to: ReplyTo, member: Member): GroupEffect {
    return {
      to,
      answer: {
        kind: 'sync',
        errorCode: KAFKA_ERROR.NONE,
        protocolType: this.type,
        protocolName: this.protocol,
        assignment: member.assignment,
      },
    };
  }

  private goTo(next: GroupState): void {
    this.currentState = transition(MOVES, `group ${this.groupId}`, this.currentState, next);
  }
}

function isWaiting(member: Member): boolean {
  return member.joining !== undefined || member.syncing !== undefined;
}

function touch(member: Member, now: number): void {
  member.expiresAt = now + member.sessionTimeoutMs;
}

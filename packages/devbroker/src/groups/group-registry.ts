import type { Clock, Random, Timer } from '@millrace/common';
import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import { randomUuid } from '../storage/topic-store.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import type { GroupEffect, JoinAnswer, SyncAnswer } from './group-answers.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import type { JoinRequest } from './group-member.ts';

/** One group: its members and its offsets. Either may be empty. */
export interface Group {
  readonly coordinator: GroupCoordinator;
  readonly offsets: CommittedOffsets;
}

interface TimedGroup extends Group {
  timer: Timer | undefined;
}

type Answer = JoinAnswer | SyncAnswer;

/** Every consumer group: applies what the state machines decide, with timers and waiting requests. */
export class GroupRegistry {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly groups = new Map<string, TimedGroup>();
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private nextReply = 0;

  constructor(options: { readonly clock: Clock; readonly random: Random }) {
    this.clock = options.clock;
    this.random = options.random;
  }

  all(): readonly Group[] {
    return [...this.groups.values()];
  }

  get(groupId: string): Group | undefined {
    return this.groups.get(groupId);
  }

  getOrCreate(groupId: string): Group {
    return this.timed(groupId);
  }

  /** Answered when the rebalance is complete. */
  async join(groupId: string, request: JoinRequest, requireKnownId: boolean): Promise<JoinAnswer> {
    const group = this.timed(groupId);
    const newId = `${request.clientId}-${randomUuid(this.random)}`;
    return (await this.ask(group, (reply) =>
      group.coordinator.join(request, reply, this.now(), { newId, requireKnownId }),
    )) as JoinAnswer;
  }

  /** Answered when the leader has given the assignments. Undefined: there is no such group. */
  async sync(
    groupId: string,
    request: Parameters<GroupCoordinator['sync']>[0],
  ): Promise<SyncAnswer | undefined> {
    const group = this.groups.get(groupId);
    if (group === undefined) return undefined;
    return (await this.ask(group, (reply) =>
      group.coordinator.sync(request, reply, this.now()),
    )) as SyncAnswer;
  }

  heartbeat(groupId: string, memberId: string, generationId: number): KafkaErrorNumber {
    const group = this.groups.get(groupId);
    if (group === undefined) return KAFKA_ERROR.UNKNOWN_MEMBER_ID;
    const errorCode = group.coordinator.heartbeat(memberId, generationId, this.now());
    this.schedule(group);
    return errorCode;
  }

  leave(groupId: string, memberId: string): KafkaErrorNumber {
    const group = this.groups.get(groupId);
    if (group === undefined) return KAFKA_ERROR.UNKNOWN_MEMBER_ID;
    const { errorCode, effects } = group.coordinator.leave(memberId, this.now());
    this.apply(group, effects);
    return errorCode;
  }

  /** Whether this member of this generation may commit; a group that does not exist yet takes commits without a member. */
  checkCommit(groupId: string, memberId: string, generationId: number): KafkaErrorNumber {
    const group = this.groups.get(groupId);
    if (group === undefined) {
      return generationId < 0 && memberId === '' ? KAFKA_ERROR.NONE : KAFKA_ERROR.ILLEGAL_GENERATION;
    }
    return group.coordinator.checkCommit(memberId, generationId, this.now());
  }

  delete(groupId: string): KafkaErrorNumber {
    const group = this.groups.get(groupId);
    if (group === undefined) return KAFKA_ERROR.GROUP_ID_NOT_FOUND;
    if (group.coordinator.state !== 'EMPTY') return KAFKA_ERROR.NON_EMPTY_GROUP;
    group.timer?.cancel();
    this.groups.delete(groupId);
    return KAFKA_ERROR.NONE;
  }

  /** A deleted topic takes the committed offsets of its partitions with it. */
  forgetTopic(topic: string): void {
    for (const { offsets } of this.groups.values()) offsets.forgetTopic(topic);
  }

  close(): void {
    for (const group of this.groups.values()) group.timer?.cancel();
    this.waiting.clear();
    this.groups.clear();
  }

  private timed(groupId: string): TimedGroup {
    const known = this.groups.get(groupId);
    if (known !== undefined) return known;
    const group = {
      coordinator: new GroupCoordinator(groupId),
      offsets: new CommittedOffsets(),
      timer: undefined,
    };
    this.groups.set(groupId, group);
    return group;
  }

  private async ask(group: TimedGroup, event: (reply: number) => readonly GroupEffect[]): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const reply = this.nextReply++;
    this.waiting.set(reply, resolve);
    this.apply(group, event(reply));
    return await promise;
  }

  private apply(group: TimedGroup, effects: readonly GroupEffect[]): void {
    for (const { to, answer } of effects) {
      this.waiting.get(to)?.(answer);
      this.waiting.delete(to);
    }
    this.schedule(group);
  }

  private schedule(group: TimedGroup): void {
    group.timer?.cancel();
    const deadline = group.coordinator.nextDeadline;
    group.timer =
      deadline === Infinity
        ? undefined
        : this.clock.schedule(
            deadline - this.now(),
            () => this.apply(group, group.coordinator.expire(this.now())),
            { unref: true },
          );
  }

  private now(): number {
    return this.clock.monotonic();
  }
}

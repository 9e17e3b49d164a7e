import { describe, expect, it } from '@jest/globals';
import { KAFKA_ERROR } from '@millrace/kafka';
import type { GroupEffect, JoinAnswer, SyncAnswer } from './group-answers.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import type { JoinRequest } from './group-member.ts';

const SESSION_MS = 10_000;
const REBALANCE_MS = 60_000;

function request(memberId: string, changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId,
    clientId: 'client',
    clientHost: '127.0.0.1',
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    ...changes,
  };
}

/** Drives one group: every request gets a number, every answer is kept under it. */
class Driver {
  readonly group = new GroupCoordinator('g');
  now = 0;
  private replies = 0;
  private readonly answers = new Map<number, JoinAnswer | SyncAnswer>();

  join(id: string, changes: Partial<JoinRequest> = {}, requireKnownId = false, memberId = ''): number {
    const identity = { newId: id, requireKnownId };
    return this.ask((reply) => this.group.join(request(memberId, changes), reply, this.now, identity));
  }

  rejoin(memberId: string, changes: Partial<JoinRequest> = {}): number {
    return this.join('unused', changes, false, memberId);
  }

  sync(memberId: string, assignments: Readonly<Record<string, string>> = {}): number {
    const given = new Map(Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)]));
    const generationId = this.group.generationId;
    return this.ask((reply) =>
      this.group.sync({ memberId, generationId, assignments: given }, reply, this.now),
    );
  }

  pass(ms: number): void {
    this.now += ms;
    this.apply(this.group.expire(this.now));
  }

  leave(memberId: string): number {
    const { errorCode, effects } = this.group.leave(memberId, this.now);
    this.apply(effects);
    return errorCode;
  }

  joined(reply: number): JoinAnswer | undefined {
    return this.answers.get(reply) as JoinAnswer | undefined;
  }

  assignment(reply: number): string | undefined {
    return (this.answers.get(reply) as SyncAnswer | undefined)?.assignment.toString();
  }

  errorOf(reply: number): number | undefined {
    return this.answers.get(reply)?.errorCode;
  }

  private ask(event: (reply: number) => readonly GroupEffect[]): number {
    const reply = this.replies++;
    this.apply(event(reply));
    return reply;
  }

  private apply(effects: readonly GroupEffect[]): void {
    for (const { to, answer } of effects) {
      // A request has one answer.
      expect(this.answers.has(to)).toBe(false);
      this.answers.set(to, answer);
    }
  }
}

/** A stable group of a (leader) and b. */
function stableGroup(): Driver {
  const driver = new Driver();
  driver.join('a');
  driver.sync('a', { a: 'all' });
  driver.join('b');
  driver.rejoin('a');
  driver.sync('b');
  driver.sync('a', { a: 'half', b: 'other half' });
  expect(driver.group.state).toBe('STABLE');
  expect(driver.group.generationId).toBe(2);
  return driver;
}

describe('a consumer group', () => {
  it('makes its only member the leader and gives it its own assignment', () => {
    const driver = new Driver();
    const join = driver.join('a');
    expect(driver.joined(join)).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: 'a',
      protocolName: 'range',
      members: [{ memberId: 'a' }],
    });
    expect(driver.group.state).toBe('COMPLETING_REBALANCE');
    const sync = driver.sync('a', { a: 'all' });
    expect(driver.assignment(sync)).toBe('all');
    expect(driver.group.state).toBe('STABLE');
  });

  it('asks a new member to come again with its id, and waits for it', () => {
    const driver = new Driver();
    const first = driver.join('a', {}, true);
    expect(driver.joined(first)).toMatchObject({
      errorCode: KAFKA_ERROR.MEMBER_ID_REQUIRED,
      memberId: 'a',
    });
    driver.join('b', {}, true);
    const again = driver.rejoin('a');
    expect(driver.errorOf(again)).toBeUndefined();
    const other = driver.rejoin('b');
    expect(driver.joined(again)).toMatchObject({ generationId: 1, leader: 'a' });
    expect(driver.joined(other)).toMatchObject({ generationId: 1, leader: 'a', members: [] });
  });

  it('goes on without a member that never used its id', () => {
    const driver = new Driver();
    driver.join('ghost', {}, true);
    const join = driver.join('a');
    expect(driver.errorOf(join)).toBeUndefined();
    driver.pass(SESSION_MS);
    expect(driver.joined(join)).toMatchObject({ generationId: 1, leader: 'a' });
    expect(driver.errorOf(driver.rejoin('ghost'))).toBe(KAFKA_ERROR.UNKNOWN_MEMBER_ID);
  });

  it('rebalances when a second member joins: heartbeats say so, the next generation has both', () => {
    const driver = new Driver();
    driver.join('a');
    driver.sync('a', { a: 'all' });
    expect(driver.group.heartbeat('a', 1, driver.now)).toBe(KAFKA_ERROR.NONE);
    const b = driver.join('b');
    expect(driver.errorOf(b)).toBeUndefined();
    expect(driver.group.heartbeat('a', 1, driver.now)).toBe(KAFKA_ERROR.REBALANCE_IN_PROGRESS);
    const a = driver.rejoin('a');
    expect(driver.joined(a)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b']);
    const bSync = driver.sync('b');
    expect(driver.errorOf(bSync)).toBeUndefined();
    driver.sync('a', { a: 'half', b: 'other half' });
    expect(driver.assignment(bSync)).toBe('other half');
    expect(driver.group.heartbeat('b', 1, driver.now)).toBe(KAFKA_ERROR.ILLEGAL_GENERATION);
    expect(driver.group.heartbeat('b', 2, driver.now)).toBe(KAFKA_ERROR.NONE);
  });

  it('removes a member whose session is over, and the others rebalance', () => {
    const driver = stableGroup();
    driver.now += SESSION_MS - 1;
    driver.group.heartbeat('a', 2, driver.now);
    driver.pass(1);
    expect(driver.group.members.map(({ id }) => id)).toEqual(['a']);
    expect(driver.group.state).toBe('PREPARING_REBALANCE');
    expect(driver.group.heartbeat('b', 2, driver.now)).toBe(KAFKA_ERROR.UNKNOWN_MEMBER_ID);
    expect(driver.joined(driver.rejoin('a'))).toMatchObject({ generationId: 3 });
  });

  it('gives the leadership on when the leader leaves', () => {
    const driver = stableGroup();
    expect(driver.leave('a')).toBe(KAFKA_ERROR.NONE);
    expect(driver.leave('a')).toBe(KAFKA_ERROR.UNKNOWN_MEMBER_ID);
    expect(driver.joined(driver.rejoin('b'))).toMatchObject({ generationId: 3, leader: 'b' });
  });

  it('is empty when the last member has left, and takes commits of strangers only then', () => {
    const driver = stableGroup();
    expect(driver.group.checkCommit('', -1, 0)).toBe(KAFKA_ERROR.UNKNOWN_MEMBER_ID);
    driver.leave('a');
    driver.leave('b');
    expect(driver.group.state).toBe('EMPTY');
    expect(driver.group.checkCommit('', -1, 0)).toBe(KAFKA_ERROR.NONE);
    expect(driver.group.nextDeadline).toBe(Infinity);
  });

  it('ends a rebalance without those that did not join again in time', () => {
    const driver = stableGroup();
    const b = driver.rejoin('b', { protocols: [{ name: 'range', metadata: Buffer.from('changed') }] });
    for (let waited = 0; waited < REBALANCE_MS - 5000; waited += 5000) {
      driver.group.heartbeat('a', 2, driver.now);
      driver.pass(5000);
    }
    expect(driver.errorOf(b)).toBeUndefined();
    driver.group.heartbeat('a', 2, driver.now);
    driver.pass(5000);
    expect(driver.joined(b)).toMatchObject({ generationId: 3, leader: 'b', members: [{ memberId: 'b' }] });
  });

  it('does not wait for ever for a leader that never gives assignments', () => {
    const driver = stableGroup();
    driver.rejoin('a');
    const b = driver.rejoin('b');
    expect(driver.joined(b)).toMatchObject({ generationId: 3, leader: 'a' });
    const waiting = driver.sync('b');
    for (let waited = 0; waited < REBALANCE_MS; waited += 5000) {
      driver.group.heartbeat('a', 3, driver.now);
      driver.pass(5000);
    }
    expect(driver.errorOf(waiting)).toBe(KAFKA_ERROR.REBALANCE_IN_PROGRESS);
    expect(driver.joined(driver.rejoin('b'))).toMatchObject({ leader: 'b', members: [{ memberId: 'b' }] });
  });

  it('gives a repeated join its answer again without a rebalance, but the leader asks for one with it', () => {
    const driver = stableGroup();
    expect(driver.joined(driver.rejoin('b'))).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(driver.group.state).toBe('STABLE');
    expect(driver.assignment(driver.sync('b'))).toBe('other half');
    const leader = driver.rejoin('a');
    expect(driver.errorOf(leader)).toBeUndefined();
    expect(driver.group.state).toBe('PREPARING_REBALANCE');
  });

  it('answers waiting syncs when a member joins in the middle of a rebalance', () => {
    const driver = new Driver();
    const both = [driver.join('a', {}, true), driver.join('b', {}, true)];
    expect(both).toHaveLength(2);
    driver.rejoin('a');
    driver.rejoin('b');
    const sync = driver.sync('b');
    driver.join('c');
    expect(driver.errorOf(sync)).toBe(KAFKA_ERROR.REBALANCE_IN_PROGRESS);
    expect(driver.group.checkCommit('b', 1, driver.now)).toBe(KAFKA_ERROR.NONE);
  });

  it('elects a protocol that all members have, and refuses a member that has none in common', () => {
    const driver = new Driver();
    const offers = (...names: string[]) => ({
      protocols: names.map((name) => ({ name, metadata: Buffer.from(name) })),
    });
    driver.join('a', offers('range', 'sticky'), true);
    driver.join('b', offers('sticky'), true);
    const a = driver.rejoin('a', offers('range', 'sticky'));
    driver.rejoin('b', offers('sticky'));
    expect(driver.joined(a)).toMatchObject({ protocolName: 'sticky' });
    expect(driver.errorOf(driver.join('c', offers('own')))).toBe(KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL);
    expect(driver.errorOf(driver.join('c', { protocolType: 'connect' }))).toBe(
      KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL,
    );
    expect(driver.errorOf(driver.join('c', { protocols: [] }))).toBe(KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL);
  });
});

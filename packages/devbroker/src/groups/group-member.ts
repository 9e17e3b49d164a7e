/** A protocol (partition assignor) that a member offers; the metadata is opaque. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
}

export interface Member {
  readonly id: string;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Buffer;
  /** Who waits for the answer to its JoinGroup. */
  joining: ReplyTo | undefined;
  /** Who waits for the answer to its SyncGroup. */
  syncing: ReplyTo | undefined;
  /** Without a sign of life until then it is removed; monotonic ms. Not while a request of it waits. */
  expiresAt: number;
}

/** Names a request that waits for its answer. */
export type ReplyTo = number;

export const NO_BYTES = Buffer.alloc(0);

/** Whether two members' offers are the same: then a repeated join changes nothing. */
export function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, i) => name === b[i]?.name && metadata.equals(b[i].metadata))
  );
}

/** The names that every one of the members offers, in the first member's order. */
export function commonProtocols(members: readonly Member[]): readonly string[] {
  const [first, ...others] = members;
  return (first?.protocols ?? [])
    .map(({ name }) => name)
    .filter((name) => others.every((member) => member.protocols.some((offer) => offer.name === name)));
}

/** Each member votes for the first of the common protocols that it offers; the most votes win. */
export function electProtocol(members: readonly Member[]): string {
  const common = commonProtocols(members);
  const votes = new Map<string, number>();
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => common.includes(name))?.name;
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
  }
  const most = Math.max(0, ...votes.values());
  return common.find((name) => votes.get(name) === most) ?? '';
}

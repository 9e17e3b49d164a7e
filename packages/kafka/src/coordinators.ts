import type { BrokerConnection } from './connection/broker-connection.ts';
import type { BrokerPool, Purpose } from './connection/broker-pool.ts';
import { kafkaFailure } from './kafka-failure.ts';
import { type CoordinatorType, FIND_COORDINATOR } from './protocol/group-api.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

const CACHED_MAX = 10_000;

const MOVED: ReadonlySet<number> = new Set([
  KAFKA_ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE,
  KAFKA_ERROR.NOT_COORDINATOR,
]);

/** Whether an answer says that another broker, or none yet, is the coordinator. */
export function isCoordinatorMoved(error: number): boolean {
  return MOVED.has(error);
}

export interface Coordinated {
  readonly type: CoordinatorType;
  /** Group id or transactional id. */
  readonly key: string;
}

// A coordinator that hangs, or a broker that is asked for it, must not cost the whole deadline: it may have moved.
const ATTEMPTS_MIN = 3;

/** How long one call to a coordinator may take, of a deadline within which it is repeated. */
export function coordinatorCallMs(leftMs: number, timeoutMs: number): number {
  return Math.min(leftMs, Math.ceil(timeoutMs / ATTEMPTS_MIN));
}

/** Finds the brokers that coordinate groups and transactional ids, and remembers them. */
export class Coordinators {
  private readonly pool: BrokerPool;
  /** Brings the brokers' addresses up to date. */
  private readonly refreshNodes: () => Promise<unknown>;
  /** Node ids. */
  private readonly found = new Map<string, number>();

  constructor(pool: BrokerPool, refreshNodes: () => Promise<unknown>) {
    this.pool = pool;
    this.refreshNodes = refreshNodes;
  }

  /** @throws BrokerFailure, after which the caller forgets the coordinator; MillraceError: nothing was sent to the coordinator then. */
  async connectionTo(of: Coordinated, purpose: Purpose, timeoutMs: number): Promise<BrokerConnection> {
    const key = keyOf(of);
    let nodeId = this.found.get(key);
    if (nodeId === undefined) {
      const connection = await this.pool.toAny();
      const answer = await connection.call(FIND_COORDINATOR, of, { timeoutMs });
      if (answer.error !== 0) throw kafkaFailure(answer.error, `FindCoordinator of ${of.type} ${of.key}`);
      nodeId = answer.nodeId;
      if (this.found.size >= CACHED_MAX) this.found.clear();
      this.found.set(key, nodeId);
    }
    if (!this.pool.knows(nodeId)) await this.refreshNodes();
    return this.pool.toNode(nodeId, purpose);
  }

  /** The next use asks again. */
  forget(of: Coordinated): void {
    this.found.delete(keyOf(of));
  }
}

function keyOf({ type, key }: Coordinated): string {
  return `${type}/${key}`;
}

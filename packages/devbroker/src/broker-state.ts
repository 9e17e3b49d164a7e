import type { Clock, Logger } from '@millrace/common';
import type { FaultHooks } from './faults/fault-hooks.ts';
import type { GroupRegistry } from './groups/group-registry.ts';
import type { TopicStore } from './storage/topic-store.ts';
import type { TransactionRegistry } from './transactions/transaction-registry.ts';

export interface NodeAddress {
  readonly id: number;
  /** As advertised to clients. */
  readonly host: string;
  readonly port: number;
}

/** What every request handler sees: the whole cluster, shared by its nodes. */
export interface BrokerState {
  readonly clusterId: string;
  /** In order of ids; the first one is the controller. */
  readonly nodes: readonly NodeAddress[];
  readonly topics: TopicStore;
  readonly groups: GroupRegistry;
  readonly transactions: TransactionRegistry;
  readonly faults: FaultHooks;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Partitions of a topic created by a metadata request; 0: topics are not created. */
  readonly autoCreatePartitions: number;
  /** For CreateTopics with −1 partitions. */
  readonly defaultPartitions: number;
  /** Next id for InitProducerId. */
  nextProducerId(): number;
}

/** The node that coordinates a group or a transactional id: any fixed choice will do. */
export function coordinatorOf(state: Pick<BrokerState, 'nodes'>, key: string): NodeAddress {
  let hash = 0;
  for (const char of key) hash = (Math.imul(hash, 31) + (char.codePointAt(0) as number)) >>> 0;
  return state.nodes[hash % state.nodes.length] as NodeAddress;
}

import type { Clock, Timer } from '@millrace/common';
import { API_KEY, KAFKA_ERROR, type KafkaErrorNumber, type TopicPartition } from '@millrace/kafka';
import type { FaultHooks } from '../faults/fault-hooks.ts';
import type { GroupRegistry } from '../groups/group-registry.ts';
import type { TopicStore } from '../storage/topic-store.ts';
import { type Decision, type Markers, type ProducerIdentity, TransactionalId } from './transactional-id.ts';

// Kafka's default of transaction.max.timeout.ms.
const TIMEOUT_MS_MAX = 15 * 60_000;
// Ids of a test that makes them in a loop; Kafka forgets them after a week.
const IDS_MAX = 100_000;

interface Registered {
  readonly transactional: TransactionalId;
  timer: Timer | undefined;
}

export type InitResult =
  | ({ readonly errorCode: typeof KAFKA_ERROR.NONE } & ProducerIdentity)
  | { readonly errorCode: KafkaErrorNumber };

/** Every transactional id: applies what the state machines decide, in partitions and groups, and keeps their time. */
export class TransactionRegistry {
  private readonly clock: Clock;
  private readonly topics: TopicStore;
  private readonly groups: GroupRegistry;
  private readonly faults: FaultHooks;
  private readonly newProducerId: () => number;
  private readonly ids = new Map<string, Registered>();

  constructor(options: {
    readonly clock: Clock;
    readonly topics: TopicStore;
    readonly groups: GroupRegistry;
    readonly faults: FaultHooks;
    readonly newProducerId: () => number;
  }) {
    this.clock = options.clock;
    this.topics = options.topics;
    this.groups = options.groups;
    this.faults = options.faults;
    this.newProducerId = options.newProducerId;
  }

  all(): readonly TransactionalId[] {
    return [...this.ids.values()].map(({ transactional }) => transactional);
  }

  get(id: string): TransactionalId | undefined {
    return this.ids.get(id)?.transactional;
  }

  init(id: string, timeoutMs: number, expected: ProducerIdentity | undefined): InitResult {
    if (id === '') return { errorCode: KAFKA_ERROR.INVALID_REQUEST };
    if (timeoutMs <= 0 || timeoutMs > TIMEOUT_MS_MAX) {
      return { errorCode: KAFKA_ERROR.INVALID_TRANSACTION_TIMEOUT };
    }
    const registered = this.ids.get(id) ?? this.register(id);
    if (registered === undefined) return { errorCode: KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE };
    const errorCode = this.apply(
      registered,
      registered.transactional.init(timeoutMs, expected, this.newProducerId),
    );
    return errorCode === KAFKA_ERROR.NONE
      ? { errorCode, ...registered.transactional.identity }
      : { errorCode };
  }

  add(id: string, by: ProducerIdentity, more: Parameters<TransactionalId['add']>[1]): KafkaErrorNumber {
    const registered = this.ids.get(id);
    if (registered === undefined) return KAFKA_ERROR.INVALID_PRODUCER_ID_MAPPING;
    const before = registered.transactional.status;
    const decision = registered.transactional.add(by, more, this.clock.now());
    if (before !== 'Ongoing' && decision.errorCode === KAFKA_ERROR.NONE) this.startTimer(registered);
    return decision.errorCode;
  }

  end(id: string, by: ProducerIdentity, commit: boolean): KafkaErrorNumber {
    const registered = this.ids.get(id);
    if (registered === undefined) return KAFKA_ERROR.INVALID_PRODUCER_ID_MAPPING;
    return this.apply(registered, registered.transactional.end(by, commit));
  }

  verify(
    id: string,
    by: ProducerIdentity,
    where: Parameters<TransactionalId['verify']>[1],
  ): KafkaErrorNumber {
    return this.ids.get(id)?.transactional.verify(by, where) ?? KAFKA_ERROR.INVALID_PRODUCER_ID_MAPPING;
  }

  close(): void {
    for (const { timer } of this.ids.values()) timer?.cancel();
    this.ids.clear();
  }

  private register(id: string): Registered | undefined {
    if (this.ids.size >= IDS_MAX) return undefined;
    const registered = { transactional: new TransactionalId(id, this.newProducerId()), timer: undefined };
    this.ids.set(id, registered);
    return registered;
  }

  private startTimer(registered: Registered): void {
    const { transactional } = registered;
    registered.timer = this.clock.schedule(
      transactional.timeoutMs,
      () => {
        const markers = transactional.expire();
        if (markers !== undefined) this.apply(registered, { errorCode: KAFKA_ERROR.NONE, markers });
      },
      { unref: true },
    );
  }

  private apply(registered: Registered, { errorCode, markers }: Decision): KafkaErrorNumber {
    if (markers === undefined) return errorCode;
    registered.timer?.cancel();
    registered.timer = undefined;
    // In Kafka the coordinator answers first and writes the markers then: a delay of WriteTxnMarkers shows what a client sees meanwhile.
    const { delayMs } = this.faults.strike({
      apiKey: API_KEY.WriteTxnMarkers,
      clientId: null,
      nodeId: -1,
      targets: markers.partitions,
    });
    if (delayMs === 0) this.write(registered, markers);
    else
      registered.timer = this.clock.schedule(delayMs, () => this.write(registered, markers), { unref: true });
    return errorCode;
  }

  private write({ transactional }: Registered, markers: Markers): void {
    const timestamp = this.clock.now();
    for (const log of existingLogs(markers.partitions, this.topics))
      log.appendMarker({ ...markers, timestamp });
    for (const groupId of markers.groups) {
      this.groups.get(groupId)?.offsets.endTransaction(markers.producerId, markers.commit);
    }
    transactional.markersWritten();
  }
}

/** A topic that is deleted meanwhile needs no markers. */
function existingLogs(partitions: readonly TopicPartition[], topics: TopicStore) {
  return partitions.flatMap((tp) => topics.partition(tp)?.log ?? []);
}

import type { BrokerConnection, CallOptions } from './connection/broker-connection.ts';
import { FETCH, FETCH_PARTITIONS, type FetchRequest, type FetchResponse } from './protocol/fetch-api.ts';

interface Asked {
  readonly request: FetchRequest;
  readonly options: CallOptions;
  readonly answer: PromiseWithResolvers<FetchResponse>;
}

/** Of one request: all of its responses arrive together, and stay while one of them is held. */
const PARTITIONS_MAX = 16;

/**
 * Small fetches that are asked of a broker in one turn, as few requests: a request costs the broker more than a hundred records in it. Each
 * partition has its own answer and its own error; what ends the request (a connection that breaks) would have ended each of them.
 */
export class GatheredFetches {
  private readonly waiting = new Map<BrokerConnection, Asked[]>();

  /** As `connection.call(FETCH, request, options)`. The payload of the response is shared with others: it is not given back to a pool. */
  call(connection: BrokerConnection, request: FetchRequest, options: CallOptions): Promise<FetchResponse> {
    const answer = Promise.withResolvers<FetchResponse>();
    const asked = this.waiting.get(connection) ?? [];
    if (asked.length === 0) {
      this.waiting.set(connection, asked);
      // Ticks run when no microtask is left: those that look for their leaders in this turn are here by then.
      process.nextTick(() => {
        this.waiting.delete(connection);
        for (const group of grouped(asked)) void this.send(connection, group);
      });
    }
    asked.push({ request, options, answer });
    return answer.promise;
  }

  /** Never rejects: who asked is told. */
  private async send(connection: BrokerConnection, group: readonly Asked[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    try {
      if (group.length === 1) {
        first.answer.resolve(await connection.call(FETCH, first.request, first.options));
        return;
      }
      const requests = group.map(({ request }) => request);
      const fetched = await connection.call(FETCH_PARTITIONS, requests, first.options);
      for (const { request, answer } of group)
        answer.resolve(fetched.partitions.get(request.partition) ?? fetched.nothing);
    } catch (error) {
      for (const { answer } of group) answer.reject(error);
    }
  }
}

/** What may go in one request: partitions of one topic, each once. */
function grouped(asked: readonly Asked[]): readonly (readonly Asked[])[] {
  const groups: Asked[][] = [];
  for (const one of asked) {
    const group = groups.find(
      (known) => known.length < PARTITIONS_MAX && known.every((other) => fit(one, other)),
    );
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

function fit({ request: a, options }: Asked, { request: b, options: others }: Asked): boolean {
  return (
    a.topic === b.topic &&
    a.topicId === b.topicId &&
    a.partition !== b.partition &&
    a.committedOnly === b.committedOnly &&
    a.waitMs === b.waitMs &&
    options.timeoutMs === others.timeoutMs &&
    options.versionMax === others.versionMax
  );
}

import { afterAll, describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { figure } from '../../../test/support/figure.ts';
import { until } from '../../../test/support/until.ts';
import type { FaultAction, FaultRule } from '../src/index.ts';
import { brokerWithTopic, clientOf, closeAfterEach, numbers, produce, read, TP } from './fault-kit.ts';

closeAfterEach();

const ALL = { fromOffset: 0, untilOffset: 200 };
/** One record batch a fetch. */
const SMALL = { fetchBytesMax: 1 };

async function filled(options: Parameters<typeof brokerWithTopic>[0] = {}) {
  const broker = await brokerWithTopic(options);
  const writer = clientOf(broker);
  await produce(writer.kafka, numbers(0, 200));
  return broker;
}

/** Changes of leaders that reads went through, and records that came meanwhile. */
const led = { moves: 0, errors: 0, records: 0 };
/** NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH */
const OF_LEADERS: ReadonlySet<number> = new Set([6, 74, 75]);
afterAll(() => {
  figure(
    15,
    `${led.moves} moves of the leader and ${led.errors} answers NOT_LEADER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH in the middle of reads: ${led.records} records, 0 missing, 0 twice, in order`,
  );
});

describe('a read', () => {
  const passing: Readonly<Record<string, Omit<FaultRule, 'api'>>> = {
    'connections that close before the answer': { every: 4, times: 5, action: { kind: 'close' } },
    'connections that close after the work': {
      every: 4,
      times: 5,
      action: { kind: 'close', when: 'after' },
    },
    'connections that close in the middle of an answer': {
      every: 3,
      times: 6,
      action: { kind: 'close', when: 'midway' },
    },
    'late answers': { every: 5, times: 3, action: { kind: 'delay', delayMs: 150 } },
    'leaders that move': { every: 3, times: 7, action: { kind: 'changeLeader' } },
  };
  for (const [name, rule] of Object.entries(passing)) {
    it(`gives every record once and in order through ${name}`, async () => {
      const broker = await filled({ nodes: 2 });
      const { kafka } = clientOf(broker, SMALL);
      const fault = broker.faults.inject({ ...rule, api: 'Fetch' });
      const { values, end } = await read(kafka, ALL);
      expect(end).toBe('complete');
      expect(values).toEqual(numbers(0, 200));
      expect(fault.hits).toBe(rule.times);
      if (rule.action.kind !== 'changeLeader') return;
      led.moves += fault.hits;
      led.records += values.length;
    });
  }

  // LEADER_NOT_AVAILABLE … KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE, UNKNOWN_TOPIC_ID
  for (const code of [3, 5, 6, 7, 9, 56, 74, 75, 78, 100]) {
    it(`gives every record once and in order when the broker answers error ${code} for a while`, async () => {
      const broker = await filled();
      const { kafka } = clientOf(broker, SMALL);
      const fault = broker.faults.inject({
        api: 'Fetch',
        after: 3,
        times: 2,
        action: { kind: 'error', code },
      });
      const { values, end } = await read(kafka, ALL);
      expect([end, values]).toEqual(['complete', numbers(0, 200)]);
      expect(fault.hits).toBe(2);
      if (!OF_LEADERS.has(code)) return;
      led.errors += fault.hits;
      led.records += values.length;
    });
  }

  const lasting: ReadonlyArray<readonly [string, FaultAction, string]> = [
    ['NOT_LEADER_OR_FOLLOWER', { kind: 'error', code: 6 }, 'LEADER_CHANGED'],
    ['FENCED_LEADER_EPOCH', { kind: 'error', code: 74 }, 'LEADER_CHANGED'],
    ['KAFKA_STORAGE_ERROR', { kind: 'error', code: 56 }, 'KAFKA_PROTOCOL'],
    ['UNKNOWN_SERVER_ERROR', { kind: 'error', code: -1 }, 'KAFKA_PROTOCOL'],
    ['TOPIC_AUTHORIZATION_FAILED', { kind: 'error', code: 29 }, 'KAFKA_AUTH'],
    ['CORRUPT_MESSAGE', { kind: 'error', code: 2 }, 'RECORD_BATCH_CORRUPT'],
    ['no answer', { kind: 'drop' }, 'KAFKA_UNREACHABLE'],
    ['connections that close', { kind: 'close' }, 'KAFKA_UNREACHABLE'],
  ];
  for (const [name, action, code] of lasting) {
    it(`ends in ${code} within its time when ${name} lasts, after what it had`, async () => {
      const broker = await filled();
      const { kafka } = clientOf(broker, { ...SMALL, fetchTimeoutMs: 800, requestTimeoutMs: 400 });
      broker.faults.inject({ api: 'Fetch', after: 5, times: Infinity, action });
      const { values, end, ms } = await read(kafka, ALL);
      expect([end, values]).toEqual([code, numbers(0, 50)]);
      expect(ms).toBeLessThan(2500);
    });
  }

  it('goes on after an answer that was lost', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, { ...SMALL, requestTimeoutMs: 300 });
    const fault = broker.faults.inject({ api: 'Fetch', after: 3, times: 2, action: { kind: 'drop' } });
    const { values, end } = await read(kafka, ALL);
    expect([end, values, fault.hits]).toEqual(['complete', numbers(0, 200), 2]);
  });

  it('survives all connections being broken again and again', async () => {
    const broker = await filled({ nodes: 3 });
    const { kafka } = clientOf(broker, SMALL);
    const { values, end } = await read(kafka, ALL, (n) => {
      if (n % 30 === 0) broker.closeConnections();
    });
    expect([end, values]).toEqual(['complete', numbers(0, 200)]);
  });

  it('ends in KAFKA_UNREACHABLE within its time when the broker goes away', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, { ...SMALL, fetchTimeoutMs: 1000, connectionTimeoutMs: 500 });
    let closing: Promise<void> | undefined;
    const { values, end, ms } = await read(kafka, ALL, (n) => {
      if (n === 50) closing = broker.close();
    });
    await closing;
    expect(end).toBe('KAFKA_UNREACHABLE');
    expect(values).toEqual(numbers(0, values.length));
    expect(ms).toBeLessThan(4000);
  });

  it('ends at once when it is aborted while the answer is late', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, SMALL);
    const late = broker.faults.inject({ api: 'Fetch', after: 2, action: { kind: 'delay', delayMs: 2000 } });
    const abort = new AbortController();
    const reading = (async () => {
      const range = { ...TP, ...ALL };
      for await (const _ of kafka.reader(TP).read(range, { signal: abort.signal }));
    })();
    const ended = expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    await until('an answer that is late', () => late.hits > 0);
    const began = performance.now();
    abort.abort();
    await ended;
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('keeps to the throttle time that the broker tells', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, SMALL);
    broker.faults.inject({ api: 'Fetch', after: 1, times: 2, action: { kind: 'throttle', throttleMs: 250 } });
    const { values, end, ms } = await read(kafka, ALL);
    expect([end, values]).toEqual(['complete', numbers(0, 200)]);
    expect(ms).toBeGreaterThan(480);
  });
});

describe('a read tells when the log is not what it was:', () => {
  // OffsetForLeaderEpoch is asked before version 12.
  for (const version of [16, 12, 11]) {
    it(`truncated under it (Fetch v${version})`, async () => {
      const broker = await filled({ nodes: 2, apiVersionsMax: { Fetch: version } });
      const { kafka } = clientOf(broker, SMALL);
      const { values, end, error } = await read(kafka, { ...ALL, leaderEpoch: 0 }, (n) => {
        if (n === 100) broker.truncate(TP, 60);
      });
      expect(end).toBe('LOG_TRUNCATED');
      expect(values).toEqual(numbers(0, values.length));
      expect(MillraceError.is(error) && error.details).toMatchObject({ ...TP, endOffset: 60 });
    });

    it(`truncated and written again before it began (Fetch v${version})`, async () => {
      const broker = await filled({ apiVersionsMax: { Fetch: version } });
      broker.truncate(TP, 60);
      const { kafka } = clientOf(broker, SMALL);
      await produce(kafka, numbers(60, 200, 'other'));
      const { values, end } = await read(kafka, { fromOffset: 100, untilOffset: 200, leaderEpoch: 0 });
      expect([end, values]).toEqual(['LOG_TRUNCATED', []]);
      const whole = await read(kafka, { fromOffset: 60, untilOffset: 200, leaderEpoch: 0 });
      expect([whole.end, whole.values]).toEqual(['complete', numbers(60, 200, 'other')]);
    });
  }

  // An election forgets the epoch of a leader that wrote nothing: the broker cannot tell where it ended, but nothing is lost.
  for (const version of [16, 12, 11]) {
    it(`not when leaders change without writing (Fetch v${version})`, async () => {
      const broker = await filled({ nodes: 2, apiVersionsMax: { Fetch: version } });
      broker.changeLeader(TP);
      const { kafka } = clientOf(broker, SMALL);
      const [end] = [...(await kafka.listOffsets([TP], 'latest')).values()];
      expect(end).toEqual({ offset: 200, leaderEpoch: 1 });
      broker.changeLeader(TP);
      await produce(kafka, numbers(200, 250));
      const { values, end: how } = await read(kafka, { fromOffset: 200, untilOffset: 250, leaderEpoch: 1 });
      expect([how, values]).toEqual(['complete', numbers(200, 250)]);
    });
  }

  for (const length of [10, 400]) {
    it(`recreated under it with ${length} records`, async () => {
      const broker = await filled();
      const { kafka } = clientOf(broker, SMALL);
      let again: Promise<void> | undefined;
      const { values, end } = await read(kafka, ALL, (n) => {
        if (n !== 100) return;
        broker.recreateTopic(TP.topic);
        again = produce(clientOf(broker).kafka, numbers(0, length, 'new'));
      });
      await again;
      expect(end).toBe('TOPIC_RECREATED');
      expect(values).toEqual(numbers(0, values.length));
    });
  }

  it('records below it deleted', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, SMALL);
    const { values, end, error } = await read(kafka, ALL, (n) => {
      if (n === 50) broker.deleteRecords(TP, 150);
    });
    expect(end).toBe('OFFSET_OUT_OF_RANGE');
    expect(values).toEqual(numbers(0, values.length));
    expect(MillraceError.is(error) && error.details).toMatchObject({ ...TP, earliest: 150, latest: 200 });
  });

  it('the topic deleted', async () => {
    const broker = await filled();
    const { kafka } = clientOf(broker, { ...SMALL, fetchTimeoutMs: 1000 });
    const { values, end, ms } = await read(kafka, ALL, (n) => {
      if (n === 50) broker.deleteTopic(TP.topic);
    });
    expect(end).toBe('UNKNOWN_TOPIC');
    expect(values).toEqual(numbers(0, values.length));
    expect(ms).toBeLessThan(3000);
  });
});

describe('a broker that cannot fetch by topic id', () => {
  for (const version of [11, 12]) {
    it(`is read by name, with one warning (Fetch v${version})`, async () => {
      const broker = await filled({ nodes: 2, apiVersionsMax: { Fetch: version, Metadata: 9 } });
      const { kafka, logged } = clientOf(broker, SMALL);
      for (let i = 0; i < 2; i++) {
        const { values, end } = await read(kafka, { ...ALL, leaderEpoch: 0 }, (n) => {
          if (n % 70 === 0) broker.changeLeader(TP);
        });
        expect([end, values]).toEqual(['complete', numbers(0, 200)]);
      }
      expect(logged.filter((message) => message.includes('topic id'))).toHaveLength(1);
    });
  }

  it('is read without a warning by a client that does not ask for topic ids', async () => {
    const broker = await filled({ apiVersionsMax: { Fetch: 12 } });
    const { kafka, logged } = clientOf(broker, { checkTopicIds: false });
    expect((await read(kafka, ALL)).values).toEqual(numbers(0, 200));
    expect(logged).toEqual([]);
  });
});

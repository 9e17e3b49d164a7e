import { describe, expect, it } from '@jest/globals';
import { checkConfig, resolveConfig } from '@millrace/common';
import { KAFKA_OPTIONS } from './kafka-options.ts';

describe('Kafka options', () => {
  it('take brokers as a text or an array, IPv6 included', () => {
    const brokers = (given: unknown) => resolveConfig(KAFKA_OPTIONS, { brokers: given }, 'kafka').brokers;
    expect(brokers('a:1, b:2')).toEqual(['a:1', 'b:2']);
    expect(brokers(['[::1]:9092'])).toEqual(['[::1]:9092']);
  });

  it('refuse brokers of another form, naming what other clients call them', () => {
    for (const given of ['', 'a', 'a:1,', [], ['a:0'], ['a:99999'], [1], null, 'http://a:1']) {
      const { problems } = checkConfig(KAFKA_OPTIONS, { brokers: given }, 'kafka');
      expect(problems.join()).toContain('bootstrap.servers');
      expect(problems.join()).toContain('metadata.broker.list');
    }
    expect(checkConfig(KAFKA_OPTIONS, {}, 'kafka').problems.join()).toContain('metadata.broker.list');
  });

  it('never print secrets', () => {
    const given = {
      brokers: 'a:1',
      sasl: { mechanism: 'plain', username: 'u', pass: 'hunter2' },
      ssl: { key: 7 },
    };
    expect(checkConfig(KAFKA_OPTIONS, given, 'kafka').problems).toEqual([
      'kafka: "ssl": has the wrong form',
      'kafka: "sasl": has the wrong form',
    ]);
  });

  it('resolve to plain data that can be shipped', () => {
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' };
    const resolved = resolveConfig(KAFKA_OPTIONS, { brokers: 'a:1', sasl, ssl: true, acks: 'all' }, 'kafka');
    expect(JSON.parse(JSON.stringify(resolved))).toEqual(resolved);
    expect(structuredClone(resolved)).toEqual(resolved);
    expect(resolved.sasl?.mechanism).toBe('scram-sha-256');
    expect(resolved.acks).toBe(-1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { duration, flag, integer, optional, text } from '@millrace/common';
import { Command } from 'commander';
import { UsageError } from '../usage-error.ts';
import { parseAssignments } from './assignments.ts';
import { addFlags, resolveFlags, withKafkaBrokers } from './flags.ts';

const SCHEMA = {
  slots: integer({ doc: 'slots', default: 2, min: 1 }),
  stateDir: text({ doc: 'directory' }),
  token: optional(text({ doc: 'secret', secret: true, pattern: /^t-/ })),
  quickly: flag({ doc: 'in haste', default: false }),
  timeout: duration({ doc: 'time', default: 1000 }),
};

function problemsOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
  return [];
}

describe('flags', () => {
  it('take precedence over the environment, and that over defaults', () => {
    const env = { MILLRACE_SLOTS: '5', MILLRACE_STATE_DIR: '/env', MILLRACE_TOKEN: '' };
    expect(resolveFlags(SCHEMA, { stateDir: '/flag' }, env)).toEqual({
      slots: 5,
      stateDir: '/flag',
      token: undefined,
      quickly: false,
      timeout: 1000,
    });
  });

  it('report every problem at once, each with its flag or variable, and no secret', () => {
    const given = { slots: '0', token: 'hunter2' };
    const problems = problemsOf(() =>
      resolveFlags(SCHEMA, given, { MILLRACE_TIMEOUT: 'soon' }, { problems: ['--conf: x'] }),
    );
    expect(problems).toEqual([
      '--conf: x',
      expect.stringMatching(/^--slots: expected an integer in \[1/),
      '--state-dir (or MILLRACE_STATE_DIR) is required: directory',
      '--token: has the wrong form',
      expect.stringMatching(/^MILLRACE_TIMEOUT: "soon" is not a duration/),
    ]);
  });

  it('are parsed by commander under their names, switches also alone', () => {
    const command = addFlags(new Command().exitOverride(), SCHEMA).action(() => undefined);
    command.parse(['--state-dir', 'x', '--quickly', '--slots=3'], { from: 'user' });
    expect(resolveFlags(SCHEMA, command.opts(), {})).toMatchObject({
      stateDir: 'x',
      quickly: true,
      slots: 3,
    });
  });

  it('show their variables and defaults; a host is of one command only', () => {
    const schema = { ...SCHEMA, host: text({ doc: 'a name', default: 'here', unit: 'name' }) };
    const command = addFlags(new Command('executor').configureHelp({ helpWidth: 200 }), schema);
    const help = command.helpInformation();
    expect(help).toMatch(/--timeout <ms> .*\(env MILLRACE_TIMEOUT, default 1000 ms\)/);
    expect(help).toMatch(/--host <name> .*\(env MILLRACE_EXECUTOR_HOST, default here\)/);
    const env = { MILLRACE_HOST: 'a', MILLRACE_DRIVER_HOST: 'b', MILLRACE_EXECUTOR_HOST: 'c' };
    const host = { host: schema.host };
    expect(resolveFlags(host, {}, env, { command: 'driver' })).toEqual({ host: 'b' });
    expect(resolveFlags(host, {}, env, { command: 'executor' })).toEqual({ host: 'c' });
  });

  it('find the brokers under the name that Kafka tools use', () => {
    expect(withKafkaBrokers({ KAFKA_BROKERS: 'a:1' })['MILLRACE_BROKERS']).toBe('a:1');
    expect(withKafkaBrokers({ KAFKA_BROKERS: 'a:1', MILLRACE_BROKERS: 'b:2' })['MILLRACE_BROKERS']).toBe(
      'b:2',
    );
  });
});

describe('assignments', () => {
  it('split at the first "=", the last of a key winning', () => {
    expect(parseAssignments('--conf', ['a=1', 'b=x=y', 'a=', 'ü=😀'])).toEqual({
      values: { a: '', b: 'x=y', ü: '😀' },
      problems: [],
    });
  });

  it('are problems without a name or without "="', () => {
    expect(parseAssignments('--conf', ['=1', 'x', '']).problems).toHaveLength(3);
  });

  it('pass variables on by their names alone', () => {
    const { values, problems } = parseAssignments('--env', ['HOME', 'NOPE'], { HOME: '/h' });
    expect(values).toEqual({ HOME: '/h' });
    expect(problems).toEqual(['--env: NOPE is not set here: give NOPE=value']);
  });

  it('keep a key that objects have by themselves', () => {
    expect(Object.entries(parseAssignments('--env', ['__proto__=1', 'constructor=2']).values)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });
});

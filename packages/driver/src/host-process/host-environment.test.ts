import { describe, expect, it } from '@jest/globals';
import { hostEnvironment, hostExecArgv } from './host-environment.ts';

describe('the environment of a host', () => {
  it('is the driver’s without the driver’s secrets', () => {
    const environment = {
      PATH: '/bin',
      KAFKA_BROKERS: 'b:9092',
      MILLRACE_LOG_LEVEL: 'info',
      MILLRACE_TOKEN: 'x',
      MILLRACE_TLS_KEY: 'x',
      MILLRACE_UI_PASSWORD: 'x',
    };
    expect(Object.keys(hostEnvironment(environment))).toEqual([
      'PATH',
      'KAFKA_BROKERS',
      'MILLRACE_LOG_LEVEL',
    ]);
  });

  it('keeps conditions and loaders, but no debugger and no code to evaluate', () => {
    const given = ['--conditions=@millrace/source', '--inspect=9229', '-e', 'code()', '--import', './x.mjs'];
    expect(hostExecArgv(given)).toEqual(['--conditions=@millrace/source', '--import', './x.mjs']);
  });
});

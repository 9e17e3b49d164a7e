import { describe, expect, it } from '@jest/globals';
import { assertBindAllowed, serverCredentials } from './credentials.ts';

describe('binding', () => {
  it.each(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', 'LOCALHOST'])(
    'to %s needs nothing',
    (host) => {
      expect(() => assertBindAllowed(host, {})).not.toThrow();
    },
  );

  it.each(['0.0.0.0', '::', '10.0.0.1', 'host.example', '', 'localhost.example', '127.0.0.1.example'])(
    'to %j needs a token or mutual TLS',
    (host) => {
      for (const weak of [{}, { token: '' }, { tls: { cert: 'c', key: 'k' } }])
        expect(() => assertBindAllowed(host, weak)).toThrow(
          expect.objectContaining({ code: 'CONFIG_INVALID' }),
        );
      for (const strong of [{ token: 's' }, { tls: { ca: 'a', cert: 'c', key: 'k' } }])
        expect(() => assertBindAllowed(host, strong)).not.toThrow();
    },
  );

  it('with TLS needs certificate and key', () => {
    expect(() => serverCredentials({ tls: { ca: 'a' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

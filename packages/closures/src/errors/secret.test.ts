import { describe, expect, it } from '@jest/globals';
import { environmentName, looksSecret } from './secret.ts';

describe('looksSecret', () => {
  it.each([
    'dbPassword',
    'DB_PASSWORD',
    'client-secret',
    'apiKey',
    'config.accessToken',
    'PrivateKey',
    'pwd',
  ])('knows the name %s', (name) => expect(looksSecret(name, 'abcd')).toBe(true));

  it.each(['passwordHint', 'secretary', 'tokenCount', 'tokens', 'keyName', 'monkey', 'primaryKey', ''])(
    'does not take the name %s for one',
    (name) => expect(looksSecret(name, 'abcd')).toBe(false),
  );

  it('takes nothing very short for one', () => expect(looksSecret('token', ';')).toBe(false));

  it.each([
    '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
    `AKIA${'A1'.repeat(8)}`,
    `ghp_${'a'.repeat(36)}`,
    `eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.sig`,
    'amqp://app:pass@host/v',
  ])('knows the form of %s', (value) => expect(looksSecret('', value)).toBe(true));

  it.each([
    'http://host:8080/a@b',
    'eyJust text',
    '-----BEGIN PUBLIC KEY-----',
    'mailto:a@b.example',
    'a'.repeat(100_000),
  ])('does not take the form of %.30s for one', (value) => expect(looksSecret('', value)).toBe(false));
});

it('names the environment variable for a value', () => {
  expect(['dbPassword', 'client-secret', 'API_KEY', 'auth.token'].map(environmentName)).toEqual([
    'DB_PASSWORD',
    'CLIENT_SECRET',
    'API_KEY',
    'AUTH_TOKEN',
  ]);
});

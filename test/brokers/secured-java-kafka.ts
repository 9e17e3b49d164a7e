import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePorts } from './free-ports.ts';
import { type JavaKafka, startJavaKafka } from './java-kafka.ts';
import { kafkaJars } from './kafka-jars.ts';
import type { TestCertificates } from './test-certificates.ts';

const run = promisify(execFile);

const TOOL_MS_MAX = 60_000;
const PROTOCOLS = {
  PLAINTEXT: 'PLAINTEXT',
  SASL_PLAINTEXT: 'SASL_PLAINTEXT',
  SSL: 'SSL',
  MTLS: 'SSL',
  SASL_SSL: 'SASL_SSL',
} as const;

export type Listener = keyof typeof PROTOCOLS;

/** The only user: by PLAIN and SCRAM. Sessions of SCRAM-SHA-256 last `SESSION_MS`, others for ever. */
export const USER = { username: 'alice', password: 'alice-secret' } as const;
export const SESSION_MS = 3000;

export interface SecuredKafka {
  /** host:port of each listener. */
  readonly at: Readonly<Record<Listener, string>>;
  stop(): Promise<void>;
}

/** A private Apache Kafka with a listener for each way to secure one. Those of TLS have no certificate when none are given. */
export async function startSecuredKafka(certificates: TestCertificates | undefined): Promise<SecuredKafka> {
  const listeners = (Object.keys(PROTOCOLS) as Listener[]).filter(
    (name) => certificates !== undefined || !PROTOCOLS[name].endsWith('SSL'),
  );
  const ports = await freePorts(listeners.length + 1);
  const at = Object.fromEntries(
    listeners.map((name, i) => [name, `localhost:${ports[i]}`]),
  ) as SecuredKafka['at'];
  const controller = `localhost:${ports.at(-1)}`;
  const advertised = listeners.map((name) => `${name}://${at[name]}`).join(',');
  const kafka = await startJavaKafka({
    heapMb: 512,
    properties: {
      listeners: `${advertised},CONTROLLER://${controller}`,
      'advertised.listeners': advertised,
      'controller.quorum.voters': `1@${controller}`,
      'listener.security.protocol.map': [...Object.entries(PROTOCOLS), ['CONTROLLER', 'PLAINTEXT']]
        .map((entry) => entry.join(':'))
        .join(','),
      ...saslProperties(),
      ...(certificates === undefined ? {} : tlsProperties(certificates)),
    },
  });
  try {
    await addScramUser(at.PLAINTEXT);
  } catch (error) {
    await kafka.stop();
    throw error;
  }
  return { at, stop: (): ReturnType<JavaKafka['stop']> => kafka.stop() };
}

function saslProperties(): Readonly<Record<string, string>> {
  const security = 'org.apache.kafka.common.security';
  const { username, password } = USER;
  const plain = `${security}.plain.PlainLoginModule required user_${username}="${password}";`;
  const scram = `${security}.scram.ScramLoginModule required;`;
  const of = (listener: string): Record<string, string> => ({
    [`listener.name.${listener}.plain.sasl.jaas.config`]: plain,
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: scram,
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: scram,
    [`listener.name.${listener}.scram-sha-256.connections.max.reauth.ms`]: String(SESSION_MS),
  });
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...of('sasl_plaintext'),
    ...of('sasl_ssl'),
  };
}

function tlsProperties({ serverFile, caFile }: TestCertificates): Readonly<Record<string, string>> {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': serverFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'listener.name.mtls.ssl.client.auth': 'required',
  };
}

async function addScramUser(brokers: string): Promise<void> {
  const jars = await kafkaJars();
  if (!jars.ok) throw new Error(`Java's tools cannot run: ${jars.reason}`);
  // Kafka alters one credential of a user at a time.
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const target = ['--bootstrap-server', brokers, '--entity-type', 'users', '--entity-name', USER.username];
    const change = ['--alter', '--add-config', `${mechanism}=[password=${USER.password}]`];
    const args = ['kafka.admin.ConfigCommand', ...target, ...change];
    await run('java', ['-Xmx128m', '-cp', jars.classPath, ...args], { timeout: TOOL_MS_MAX });
  }
}

import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { userInfo } from 'node:os';
import { GenericContainer, Wait } from 'testcontainers';
import { freePorts } from './free-ports.ts';
import { KAFKA_VERSION } from './kafka-jars.ts';

const PING_MS_MAX = 1500;
const START_MS_MAX = 180_000;

/** DOCKER_HOST of the container engine that answers first, within a short time: the one that is set, else one of the usual sockets. */
export async function answeringEngine(): Promise<string | undefined> {
  const host = process.env['DOCKER_HOST'];
  if (host?.startsWith('tcp://') === true)
    return (await pings(new URL(host.replace(/^tcp/, 'http')))) ? host : undefined;
  const sockets = host?.startsWith('unix://')
    ? [host.slice('unix://'.length)]
    : ['/var/run/docker.sock', `/run/user/${userInfo().uid}/podman/podman.sock`, '/run/podman/podman.sock'];
  for (const socketPath of sockets) {
    if (existsSync(socketPath) && (await pings({ socketPath }))) return `unix://${socketPath}`;
  }
  return undefined;
}

async function pings(target: URL | { readonly socketPath: string }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const options = 'socketPath' in target ? target : { host: target.hostname, port: target.port };
  const ping = request({ ...options, path: '/_ping', timeout: PING_MS_MAX }, (answer) => {
    answer.resume();
    resolve(answer.statusCode === 200);
  });
  ping.on('timeout', () => ping.destroy());
  ping.on('error', () => resolve(false));
  ping.on('close', () => resolve(false));
  ping.end();
  return await promise;
}

/**
 * Apache Kafka's own image, one KRaft node, in the engine that answers at `dockerHost`. The same port inside and outside: the broker has to
 * advertise it.
 */
export async function startContainerKafka(
  dockerHost: string,
): Promise<{ readonly brokers: string; stop(): Promise<void> }> {
  // testcontainers itself looks for Docker's sockets only.
  process.env['DOCKER_HOST'] = dockerHost;
  const [port] = (await freePorts(1)) as [number];
  const container = await new GenericContainer(`apache/kafka:${KAFKA_VERSION}`)
    // The image exposes 9092: podman asks for every exposed port to be published, or testcontainers waits for it in vain.
    .withExposedPorts({ container: port, host: port }, 9092)
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_LOG_RETENTION_MS: '-1',
      KAFKA_LOG_CLEANER_BACKOFF_MS: '250',
    })
    .withWaitStrategy(Wait.forLogMessage('Kafka Server started'))
    .withStartupTimeout(START_MS_MAX)
    .start();
  return {
    brokers: `localhost:${port}`,
    stop: async () => void (await container.stop()),
  };
}

import { beforeAll } from '@jest/globals';
import { TestCluster } from './test-cluster.ts';

const TIMEOUT_MS = 120_000;

export interface TestClusterOptions {
  /** Default 1. */
  readonly executors?: number;
  readonly executorArgs?: readonly string[];
  readonly driverArgs?: readonly string[];
  /** Of the driver's and the executors' processes. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Call it at the top of a test file, behind its Kafka: a cluster for all of its tests, up from `beforeAll` on. */
export function useTestCluster(
  kafka: { readonly brokers: string; atEnd(end: () => unknown): void },
  { executors = 1, executorArgs = [], driverArgs = [], environment = {} }: TestClusterOptions = {},
): TestCluster {
  const cluster = new TestCluster(kafka, driverArgs, environment);
  beforeAll(async () => {
    kafka.atEnd(() => cluster.close());
    await cluster.up(executors, executorArgs);
  }, TIMEOUT_MS);
  return cluster;
}

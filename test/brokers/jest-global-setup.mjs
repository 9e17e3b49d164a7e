// Starts one Kafka for a whole jest run and tells the tests its address in KAFKA_TEST_BROKERS and its kind in KAFKA_TEST_KIND.
// A run whose test files use no broker starts none.
import { globSync, readFileSync } from 'node:fs';
import { kafkaUnderTest } from './kafka-under-test.ts';

const USES_A_BROKER = /kafka-under-test|KAFKA_TEST_BROKERS/;

export default async function setup(globalConfig) {
  if (!needsBroker(globalConfig)) return;
  const kafka = await kafkaUnderTest();
  process.env.KAFKA_TEST_BROKERS = kafka.brokers;
  process.env.KAFKA_TEST_KIND = kafka.kind;
  globalThis.kafkaOfThisRun = kafka;
}

function needsBroker({ rootDir, testPathPatterns }) {
  const patterns = (testPathPatterns?.patterns ?? []).map((pattern) => new RegExp(pattern, 'i'));
  return globSync(['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts'], { cwd: rootDir })
    .map((path) => `${rootDir}/${path}`)
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => pattern.test(path)))
    .some((path) => USES_A_BROKER.test(readFileSync(path, 'utf8')));
}

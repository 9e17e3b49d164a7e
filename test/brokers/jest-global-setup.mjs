// Starts one Kafka, and one PostgreSQL, for a whole jest run and tells the tests: their addresses in KAFKA_TEST_BROKERS and POSTGRES_TEST_URL, the
// kind of Kafka in KAFKA_TEST_KIND. A run whose test files use none starts none.
import { globSync, readFileSync } from 'node:fs';
import { kafkaUnderTest } from './kafka-under-test.ts';

const USES_A_BROKER = /kafka-under-test|KAFKA_TEST_BROKERS/;
const USES_POSTGRES = /postgres-under-test|POSTGRES_TEST_URL/;

export default async function setup(globalConfig) {
  const texts = testFiles(globalConfig).map((path) => readFileSync(path, 'utf8'));
  if (texts.some((text) => USES_A_BROKER.test(text))) {
    const kafka = await kafkaUnderTest();
    process.env.KAFKA_TEST_BROKERS = kafka.brokers;
    process.env.KAFKA_TEST_KIND = kafka.kind;
    globalThis.kafkaOfThisRun = kafka;
  }
  if (texts.some((text) => USES_POSTGRES.test(text))) {
    const { postgresUnderTest } = await import('./postgres.ts');
    const postgres = await postgresUnderTest();
    process.env.POSTGRES_TEST_URL = postgres.url;
    globalThis.postgresOfThisRun = postgres;
  }
}

function testFiles({ rootDir, testPathPatterns }) {
  const patterns = (testPathPatterns?.patterns ?? []).map((pattern) => new RegExp(pattern, 'i'));
  return globSync(['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts'], { cwd: rootDir })
    .map((path) => `${rootDir}/${path}`)
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => pattern.test(path)));
}

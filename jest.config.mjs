export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/test', '<rootDir>/examples'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tools/jest-strip-types.mjs' },
  testEnvironmentOptions: { customExportConditions: ['@millrace/source', 'node', 'node-addons'] },
  reporters: ['default', '<rootDir>/tools/jest-plain-summary.mjs'],
  setupFilesAfterEnv: ['<rootDir>/tools/jest-equality.mjs'],
  maxWorkers: 2,
  // A test waits for a condition with a deadline of its own; this one only ends what forgot to.
  testTimeout: 60_000,
  // One real Kafka for the whole run, when a test uses one.
  globalSetup: '<rootDir>/test/brokers/jest-global-setup.mjs',
  globalTeardown: '<rootDir>/test/brokers/jest-global-teardown.mjs',
};

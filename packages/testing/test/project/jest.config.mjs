export default {
  testMatch: ['**/*.jest-case.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.[cm]?tsx?$': process.env.MILLRACE_JEST_TRANSFORM ?? '@millrace/testing/jest-transform' },
  testEnvironmentOptions: { customExportConditions: ['@millrace/source', 'node', 'node-addons'] },
};

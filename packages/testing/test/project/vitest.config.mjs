import { millrace } from '@millrace/testing/vite';

export default {
  plugins: [millrace()],
  // In this repository Millrace is TypeScript.
  ssr: {
    resolve: {
      conditions: ['@millrace/source', 'module', 'node', 'default'],
      externalConditions: ['@millrace/source'],
    },
  },
  test: { include: ['**/*.vitest-case.ts'], watch: false, pool: 'forks' },
};

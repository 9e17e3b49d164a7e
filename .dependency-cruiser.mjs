// The dependency direction is a failing check: imports go only downward,
// cli → local → driver | executor → api → closures → kafka → proto → common.
const below = {
  common: [],
  proto: ['common'],
  kafka: ['common', 'proto'],
  closures: ['common', 'proto', 'kafka'],
  api: ['common', 'proto', 'kafka', 'closures'],
  driver: ['common', 'proto', 'kafka', 'closures', 'api'],
  executor: ['common', 'proto', 'kafka', 'closures', 'api'],
  local: ['common', 'proto', 'kafka', 'closures', 'api', 'driver', 'executor'],
  devbroker: ['common', 'proto', 'kafka'],
  testing: ['common', 'proto', 'kafka', 'closures', 'api', 'driver', 'executor', 'local', 'devbroker'],
  cli: ['common', 'proto', 'kafka', 'closures', 'api', 'driver', 'executor', 'local', 'devbroker'],
};

export default {
  forbidden: [
    ...Object.entries(below).map(([name, allowed]) => ({
      name: `${name}-imports-only-downward`,
      severity: 'error',
      from: { path: `^packages/${name}/src`, pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
    })),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      // Types may refer to each other; what runs may not.
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'generated-types-stop-at-the-wire',
      severity: 'error',
      from: { pathNot: '^packages/proto/' },
      to: { path: '^packages/proto/src/gen/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/src/gen/.*\\.ts$|/test/cases/)' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@millrace/source', 'import', 'node', 'default'],
    },
  },
};

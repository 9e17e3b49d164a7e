// jest: `transform: { '\\.[cm]?tsx?$': '@millrace/testing/jest-transform' }`.
import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';
import { devModuleKey, transformDevModule } from '@millrace/closures/transform';
import { MILLRACE_VERSION, MillraceError } from '@millrace/common';

interface JestOptions {
  readonly supportsStaticESM: boolean;
}

interface JestModule {
  readonly code: string;
  readonly map?: object;
}

/**
 * Modules of the author go through the transform of `submit`, so that `embed` captures and revives their lambdas as a cluster does; of
 * others only the types are stripped.
 */
const transformer = {
  process(source: string, path: string, { supportsStaticESM }: JestOptions): JestModule {
    if (!supportsStaticESM) {
      throw new MillraceError(
        'CONFIG_INVALID',
        `jest loads ${path} as CommonJS, and Millrace has ES modules only`,
        {
          remedy: "Run node --experimental-vm-modules …/jest.js, with extensionsToTreatAsEsm: ['.ts'].",
        },
      );
    }
    const transformed = transformDevModule(path, source);
    if (transformed) return { code: transformed.code, map: transformed.map };
    return { code: /\.[cm]?ts$/.test(path) ? stripTypeScriptTypes(source) : source };
  },
  getCacheKey(source: string, path: string, { supportsStaticESM }: JestOptions): string {
    const parts = [
      MILLRACE_VERSION,
      process.version,
      supportsStaticESM,
      path,
      devModuleKey(path, source),
      source,
    ];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  },
};

export default transformer;

/** The per-file transform, apart from the main entry: hosts and slots do not load the parser. */

export { type DevModule, devModuleKey, transformDevModule } from './dev/dev-module.ts';
export {
  RUNTIME_SPECIFIER,
  type TransformedModule,
  type TransformInput,
  transformModule,
} from './transform/transform-module.ts';

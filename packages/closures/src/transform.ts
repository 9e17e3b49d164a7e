/** The per-file transform, apart from the main entry: hosts and slots do not load the parser. */
export {
  RUNTIME_SPECIFIER,
  type TransformedModule,
  type TransformInput,
  transformModule,
} from './transform/transform-module.ts';

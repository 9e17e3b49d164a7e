import remapping from '@jridgewell/remapping';
import { type EncodedSourceMap, TraceMap } from '@jridgewell/trace-mapping';
import { MagicString } from 'magic-string';
import type { ClosureMeta, ImportMeta, Position } from '../manifest.ts';
import { type ClosurePlan, planClosure } from './closure-plan.ts';
import { writeBinds, writeTag } from './driver-rewrite.ts';
import { DynamicImports } from './dynamic-imports.ts';
import { type EnvironmentRead, environmentReads } from './environment-reads.ts';
import { FixedReads } from './fixed-reads.ts';
import { findFreeVariables } from './free-variables.ts';
import { type LiftedFactory, liftClosure } from './lifted-factory.ts';
import type { ModuleContext } from './module-context.ts';
import { type ExportOrigin, exportOrigins, starExports } from './module-exports.ts';
import { type ModuleRequest, moduleRequests, registerImports } from './module-imports.ts';
import { type OutputLambda, outputLambda } from './output-lambdas.ts';
import { findPlaceBoundUses } from './place-bound-uses.ts';
import { shortHash } from './short-hash.ts';
import { SourcePositions } from './source-positions.ts';
import { parseModule, type SyntaxTree } from './syntax-tree.ts';
import { freshName } from './this-narrowing.ts';
import { type TopLevelAwait, topLevelAwaits } from './top-level-await.ts';
import { trackedClosures } from './tracked-closure.ts';

export const RUNTIME_SPECIFIER = '@millrace/closures/runtime';

export interface TransformInput {
  /** JavaScript: types are stripped before. */
  readonly code: string;
  /** The map from `code` to the author's file. */
  readonly map?: EncodedSourceMap;
  /** The author's text, for exact columns. */
  readonly source?: string;
  /** The author's file, relative to the source root. */
  readonly file: string;
  /** True when executors load this specifier by themselves. */
  readonly isByReference: (specifier: string) => boolean;
}

export interface TransformedModule {
  /** What the driver evaluates: the same module, each closure tagged. */
  readonly code: string;
  readonly map: EncodedSourceMap;
  readonly closures: readonly ClosureMeta[];
  /** The lifted text of each closure that can ship. */
  readonly factories: readonly LiftedFactory[];
  readonly imports: readonly ImportMeta[];
  /** Every import and re-export, and where its specifier stands. */
  readonly requests: readonly ModuleRequest[];
  /** `import 'x'` of packages: repeated on executors. */
  readonly sideEffectImports: readonly string[];
  /** Where a name that the module exports is declared, or the module that it comes from. */
  readonly exports: Readonly<Record<string, ExportOrigin>>;
  /** The modules whose names it exports, too: `export * from '…'`. */
  readonly starExports: readonly string[];
  readonly environmentReads: readonly EnvironmentRead[];
  readonly topLevelAwaits: readonly TopLevelAwait[];
  readonly outputLambdas: readonly OutputLambda[];
  /** Start offsets of all syntax nodes, ascending: the points that the executor's source map has. */
  readonly nodeStarts: readonly number[];
  readonly original: (offset: number) => Position;
}

/**
 * Rewrites one module: every arrow, function, class and object method is tagged with an id and a thunk of what it
 * captures, and its text is lifted into a factory. Pure: the same input gives the same output.
 * Throws acorn's SyntaxError.
 */
export function transformModule(input: TransformInput): TransformedModule {
  const tree = parseModule(input.code);
  const positions = new SourcePositions(input.code, input.map, input.source);
  const imports = new Map<string, ImportMeta>();
  const context = createContext(input, tree, positions, imports);
  const tracked = trackedClosures(tree);
  findFreeVariables(tree, tracked, input.isByReference);
  findPlaceBoundUses(tree, tracked);

  const engine = freshName(input.code, '$millrace');
  const text = new MagicString(input.code);
  const plans: ClosurePlan[] = [];
  for (const closure of tracked.values()) {
    const plan = planClosure(context, closure);
    plans.push(plan);
    if (!isShadowedDeclaration(context.tree, plan)) writeTag(text, tree, plan, engine);
  }
  writeBinds(text, tree, engine);
  const { registrations, sideEffectImports } = registerImports(context, engine);
  const head = `import { $engine as ${engine} } from ${JSON.stringify(RUNTIME_SPECIFIER)};`;
  const shebang = input.code.startsWith('#!') ? input.code.indexOf('\n') + 1 : 0;
  text.appendLeft(shebang, `${head}${registrations}\n`);
  return {
    code: text.toString(),
    map: composeMaps(text, input),
    closures: plans.map((plan) => plan.meta),
    factories: plans.filter((plan) => plan.meta.refusal === undefined).map((plan) => liftClosure(tree, plan)),
    imports: [...imports.values()],
    requests: moduleRequests(tree, positions),
    sideEffectImports,
    exports: exportOrigins(tree, positions, context.fixedReads),
    starExports: starExports(tree),
    environmentReads: environmentReads(tree, positions),
    topLevelAwaits: topLevelAwaits(tree, positions),
    outputLambdas: plans.flatMap(({ closure, meta }) => {
      const shipped = outputLambda(tree, closure.node);
      return shipped === undefined ? [] : [{ meta, ...shipped }];
    }),
    nodeStarts: [...new Set(tree.nodes.map((node) => node.start))].toSorted((a, b) => a - b),
    original: (offset) => positions.original(offset),
  };
}

function createContext(
  input: TransformInput,
  tree: SyntaxTree,
  positions: SourcePositions,
  imports: Map<string, ImportMeta>,
): ModuleContext {
  const seen = new Map<string, number>();
  const directory = input.file.slice(0, input.file.lastIndexOf('/') + 1);
  const importKey = (specifier: string, name: string): string => {
    // The directory counts: two workspace packages may have two versions of one dependency.
    const key = shortHash(JSON.stringify([directory, specifier, name]));
    imports.set(key, { key, specifier, name });
    return key;
  };
  const isPackage = (specifier: string): boolean => !specifier.startsWith('.') && !specifier.startsWith('/');
  const decorated = decoratedNames(tree);
  return {
    tree,
    positions,
    file: input.file,
    dynamicImports: new DynamicImports(tree, (specifier) => {
      if (isPackage(specifier) || input.isByReference(specifier))
        return `millrace-from:${directory}:${specifier}`;
      return undefined;
    }),
    fixedReads: new FixedReads(tree),
    isDecorated: (node) => {
      const parent = tree.parentOf(node);
      const name =
        node.id?.name ??
        (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier' ? parent.id.name : '');
      return decorated.has(name);
    },
    isByReference: input.isByReference,
    importKey,
    closureId: (content) => {
      const ordinal = seen.get(content) ?? 0;
      seen.set(content, ordinal + 1);
      return shortHash(`${ordinal}\n${content}`);
    },
  };
}

/** Classes that a lowered decorator call touches: `_decorate([d], A)`, `_decorate([d], A.prototype, 'm')`. */
function decoratedNames(tree: SyntaxTree): Set<string> {
  const names = new Set<string>();
  for (const node of tree.nodes) {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') continue;
    if (!/^_{1,2}decorat/.test(node.callee.name)) continue;
    for (const argument of node.arguments) {
      if (argument.type === 'Identifier') names.add(argument.name);
      if (argument.type === 'MemberExpression' && argument.object.type === 'Identifier')
        names.add(argument.object.name);
    }
  }
  return names;
}

/** Of two declarations of one name in a function body the last one wins; the first has no function object. */
function isShadowedDeclaration(tree: SyntaxTree, { closure: { node } }: ClosurePlan): boolean {
  const block = tree.parentOf(node);
  if (node.type !== 'FunctionDeclaration' || !node.id || block?.type !== 'BlockStatement') return false;
  const name = node.id.name;
  return block.body.some(
    (other) => other.type === 'FunctionDeclaration' && other.start > node.start && other.id.name === name,
  );
}

function composeMaps(text: MagicString, input: TransformInput): EncodedSourceMap {
  const map = text.generateMap({ source: input.file, hires: 'boundary', includeContent: true });
  const inner = input.map;
  const composed = remapping(
    [map as never, ...(inner === undefined ? [] : [new TraceMap(inner) as never])],
    () => null,
  );
  return composed as unknown as EncodedSourceMap;
}

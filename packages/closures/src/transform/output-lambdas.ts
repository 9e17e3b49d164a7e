import type { ClosureMeta } from '../manifest.ts';
import { isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** A lambda that an output operation gives to its RDD: made, and so captured, when a batch runs. */
export interface OutputLambda {
  readonly meta: ClosureMeta;
  /** The name of the RDD that the operation was given. */
  readonly rdd: string;
  /** `map`: the operator of the RDD. */
  readonly operator: string;
}

const OUTPUTS = new Set(['foreachRDD', 'transform']);
/** Methods of the promises that actions give: what they are given runs on the driver. */
const OF_PROMISES = new Set(['then', 'catch', 'finally']);

/** How `node` is shipped from within `foreachRDD((rdd) => rdd.map(node))`; undefined when that cannot be told from the text. */
export function outputLambda(
  tree: SyntaxTree,
  node: SyntaxNode,
): { readonly rdd: string; readonly operator: string } | undefined {
  const call = tree.parentOf(node);
  if (call?.type !== 'CallExpression' || call.callee === node) return undefined;
  const rdd = rootOfChain(call);
  const operator = methodName(call);
  if (rdd === undefined || operator === undefined) return undefined;
  for (let at = tree.parentOf(call); at !== undefined; at = tree.parentOf(at)) {
    if (!isFunction(at) || !at.params.some((param) => param.type === 'Identifier' && param.name === rdd))
      continue;
    const [first] = at.params;
    const isFirst = first?.type === 'Identifier' && first.name === rdd;
    return isFirst && isOutput(tree, at) ? { rdd, operator } : undefined;
  }
  return undefined;
}

function isOutput(tree: SyntaxTree, node: SyntaxNode): boolean {
  const call = tree.parentOf(node);
  return call?.type === 'CallExpression' && call.arguments[0] === node && OUTPUTS.has(methodName(call) ?? '');
}

/** `rdd` of `rdd.filter(…).map(…)`. */
function rootOfChain(call: SyntaxNode): string | undefined {
  for (let at: SyntaxNode = call; ; ) {
    if (at.type === 'Identifier') return at.name;
    if (at.type !== 'CallExpression' || at.callee.type !== 'MemberExpression') return undefined;
    if (OF_PROMISES.has(methodName(at) ?? '')) return undefined;
    at = at.callee.object;
  }
}

function methodName(call: SyntaxNode): string | undefined {
  if (call.type !== 'CallExpression' || call.callee.type !== 'MemberExpression') return undefined;
  const { property, computed } = call.callee;
  return !computed && property.type === 'Identifier' ? property.name : undefined;
}

import type { CallExpression } from 'acorn';
import type { MagicString } from 'magic-string';
import { canInferName } from './closure-name.ts';
import { type ClosurePlan, SUPERCLASS } from './closure-plan.ts';
import { memberAccess, named } from './lifted-factory.ts';
import { isClass, isFunction, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';

/** Writes the tag of one closure into the driver's text. */
export function writeTag(text: MagicString, tree: SyntaxTree, plan: ClosurePlan, engine: string): void {
  const { node } = plan.closure;
  const args = `${JSON.stringify(plan.meta.id)}, ${thunk(plan, engine)}`;
  if (isClass(node)) {
    text.appendLeft(node.body.start + 1, ` static { ${engine}.k(this, ${args}); }`);
  } else if (node.type === 'FunctionDeclaration') {
    writeDeclarationTag(text, tree, plan, engine, args);
  } else if (plan.isMethod) {
    writeMethodTag(text, tree, plan, engine, args);
  } else {
    const { name } = plan.meta;
    const { before, after } = node.id == null && canInferName(name) ? named(name) : { before: '', after: '' };
    text.appendRight(node.start, `${engine}.c(${before}`);
    text.prependLeft(node.end, `${after}, ${args})`);
  }
}

function thunk(plan: ClosurePlan, engine: string): string {
  const values = plan.slots.flatMap(({ expression }) => {
    if (expression === undefined) return [];
    return expression === SUPERCLASS ? [`${engine}.s(this)`] : [expression];
  });
  values.push(...plan.readsOfThis.map((property) => `this.${property}`));
  values.push(...plan.privates.map((name) => `this.#${name}`));
  if (plan.capturesThis || plan.readsOfThis.length > 0) values.push('this');
  if (values.length === 0) return '0';
  return `(${plan.keyParameter ?? ''}) => [${values.join(', ')}]`;
}

/** Tagged at the head of its block: declarations are hoisted, and may be used there. */
function writeDeclarationTag(
  text: MagicString,
  tree: SyntaxTree,
  plan: ClosurePlan,
  engine: string,
  args: string,
): void {
  const { node } = plan.closure;
  let target = node.id?.name;
  if (target === undefined) {
    // `export default function () {}`: to be tagged where it is hoisted to, it needs a name in the module.
    const name = `${engine}_default`;
    text.appendLeft(tree.code.indexOf('(', node.start), ` ${name}`);
    target = `${engine}.d(${name})`;
  }
  for (const head of headsOf(tree, node)) text.appendLeft(head, `\n${engine}.c(${target}, ${args});`);
}

/** A switch is one scope with several entrances. */
function headsOf(tree: SyntaxTree, node: SyntaxNode): number[] {
  const clause = tree.parentOf(node);
  const around = clause?.type === 'SwitchCase' ? tree.parentOf(clause) : undefined;
  if (around?.type !== 'SwitchStatement') return [headOf(tree, node)];
  return around.cases.flatMap(({ consequent: [first] }) => (first === undefined ? [] : [first.start]));
}

function headOf(tree: SyntaxTree, node: SyntaxNode): number {
  let block = tree.parentOf(node);
  if (block?.type === 'ExportNamedDeclaration' || block?.type === 'ExportDefaultDeclaration') {
    block = tree.parentOf(block);
  }
  switch (block?.type) {
    case 'Program':
      return afterDirectives(block.body, tree.code.startsWith('#!') ? tree.code.indexOf('\n') + 1 : 0);
    case 'BlockStatement':
      return afterDirectives(block.body, block.start + 1);
    case 'StaticBlock':
      return tree.code.indexOf('{', block.start) + 1;
    default:
      return node.start;
  }
}

function afterDirectives(body: readonly SyntaxNode[], start: number): number {
  let at = start;
  for (const statement of body) {
    if (statement.type !== 'ExpressionStatement' || statement.directive === undefined) break;
    at = statement.end;
  }
  return at;
}

/**
 * `m() {}` becomes `m: engine.c(({ m() {} }).m, …)`, and `[key]() {}` becomes `...engine.m({ [key]() {} }, …)`: the key is
 * evaluated once. Methods with `super` stay as they are: they cannot ship.
 */
function writeMethodTag(
  text: MagicString,
  tree: SyntaxTree,
  plan: ClosurePlan,
  engine: string,
  args: string,
): void {
  const property = tree.parentOf(plan.closure.node);
  if (property?.type !== 'Property' || usesOwnSuper(tree, plan.closure.node)) return;
  if (property.computed) {
    text.appendRight(property.start, `...${engine}.m({ `);
    text.prependLeft(property.end, ` }, ${args})`);
    return;
  }
  const key = tree.code.slice(property.key.start, property.key.end);
  // `__proto__: value` in a literal sets the prototype; the method form does not.
  if (key === '__proto__') return;
  text.appendRight(property.start, `${key}: ${engine}.c(({ `);
  text.prependLeft(property.end, ` })${memberAccess(tree.code, property.key)}, ${args})`);
}

function usesOwnSuper(tree: SyntaxTree, method: SyntaxNode): boolean {
  return tree.nodes.some((node) => {
    if (node.type !== 'Super' || node.start < method.start || node.end > method.end) return false;
    for (let around = tree.parentOf(node); around !== undefined; around = tree.parentOf(around)) {
      if (around === method) return true;
      if (isClass(around) || (isFunction(around) && around.type !== 'ArrowFunctionExpression')) return false;
    }
    return false;
  });
}

/** `x.bind(a)` becomes `engine.b(x, [a])`, which remembers target and arguments when it is Function.prototype.bind. */
export function writeBinds(text: MagicString, tree: SyntaxTree, engine: string): void {
  for (const node of tree.nodes) {
    if (node.type !== 'CallExpression' || node.optional || node.callee.type !== 'MemberExpression') continue;
    const { callee } = node;
    if (callee.computed || callee.optional || callee.object.type === 'Super' || inOptionalChain(node))
      continue;
    if (callee.property.type !== 'Identifier' || callee.property.name !== 'bind') continue;
    const dot = tree.code.lastIndexOf('.', callee.property.start);
    const open = tree.code.indexOf('(', callee.property.end);
    const isBare =
      tree.code.slice(dot + 1, callee.property.start).trim() === '' &&
      tree.code.slice(callee.property.end, open).trim() === '';
    if (!isBare || dot < callee.object.end) continue;
    // Before the tag of a function expression that begins here: `function () {}.bind(a)`.
    text.prependRight(node.start, `${engine}.b(`);
    text.update(dot, open + 1, ', [');
    text.update(node.end - 1, node.end, '])');
  }
}

function inOptionalChain(call: CallExpression): boolean {
  let node: SyntaxNode = call;
  for (;;) {
    if (node.type === 'CallExpression') {
      if (node.optional) return true;
      node = node.callee;
    } else if (node.type === 'MemberExpression') {
      if (node.optional) return true;
      node = node.object;
    } else return false;
  }
}

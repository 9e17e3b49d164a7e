import type { Identifier } from 'acorn';
import type { ClosureMeta } from '../manifest.ts';
import { importOf } from './import-name.ts';
import type { ModuleContext } from './module-context.ts';
import type { SourcePositions } from './source-positions.ts';
import {
  type ClassNode,
  contains,
  hasOwnThis,
  isClass,
  type SyntaxNode,
  type SyntaxTree,
} from './syntax-tree.ts';
import type { Substitution } from './this-narrowing.ts';
import type { BoundToPlace, TrackedClosure } from './tracked-closure.ts';

interface Why {
  readonly reason: string;
  readonly fix: string;
}

/** Why a part of a closure's text has another meaning elsewhere; the fix has the author's own words in it. */
function placeBound({ tree, positions }: ModuleContext, what: BoundToPlace, use: SyntaxNode): Why {
  switch (what) {
    case 'arguments': {
      const outer = functionName(tree, use);
      return {
        reason: "it uses the enclosing function's `arguments`",
        fix: `use a rest parameter:  ${outer}(...args)   and args inside the lambda`,
      };
    }
    case 'super':
      return {
        reason: 'it uses `super` of the enclosing method',
        fix: `call ${expressionText(tree, use, 'super')} outside of the lambda, or move this code into a method of the class`,
      };
    case 'new.target':
      return {
        reason: 'it uses `new.target` of the enclosing function',
        fix: readOutside('target', expressionText(tree, use, 'new.target')),
      };
    case 'import.meta': {
      const text = expressionText(tree, use, 'import.meta');
      return {
        reason: '`import.meta` is different on an executor',
        fix: readOutside(text.split('.')[2] ?? 'meta', text),
      };
    }
    case 'await':
      return {
        reason: 'it awaits while the class itself is evaluated',
        fix: `read it into a const before the class:  const value = ${sourceLine(positions, use)}`,
      };
    case 'yield':
      return {
        reason: 'it yields while the class itself is evaluated',
        fix: `read it into a const before the class:  const value = ${sourceLine(positions, use)}`,
      };
    case 'eval':
      return {
        reason: '`eval` can reach every variable around it, so what it captures is not known',
        fix: `write ${sourceLine(positions, use)} as plain code or as a function`,
      };
    case 'this of a class heritage': {
      const text = expressionText(tree, use, 'this');
      return {
        reason: 'it uses `this` of the enclosing function while the class itself is evaluated',
        fix: `read it into a const before the class:  const value = ${text}`,
      };
    }
  }
}

function readOutside(name: string, text: string): string {
  return `read it outside of the lambda:  const ${name} = ${text}   and use ${name} inside`;
}

/** `import.meta.url`: the use with the members that are read from it. */
function expressionText(tree: SyntaxTree, use: SyntaxNode, fallback: string): string {
  const parent = tree.parentOf(use);
  const isMember = parent?.type === 'MemberExpression' && parent.object === use && !parent.computed;
  const whole = isMember ? parent : use;
  const text = tree.code.slice(whole.start, whole.end);
  return text.includes('\n') ? fallback : text;
}

const LINE_MAX = 60;

function sourceLine(positions: SourcePositions, node: SyntaxNode): string {
  const text = positions.textOf(node).replace(/\s+/g, ' ');
  return text.length <= LINE_MAX ? text : `${text.slice(0, LINE_MAX)}…`;
}

/** Of the function that owns `arguments`; 'function' when it has none. */
function functionName(tree: SyntaxTree, use: SyntaxNode): string {
  for (let node = tree.parentOf(use); node !== undefined; node = tree.parentOf(node)) {
    if (!hasOwnThis(node)) continue;
    const parent = tree.parentOf(node);
    const key = parent?.type === 'MethodDefinition' || parent?.type === 'Property' ? parent.key : undefined;
    const id = (node as { id?: SyntaxNode | null }).id ?? key;
    return id?.type === 'Identifier' ? id.name : 'function';
  }
  return 'function';
}

/** Why the text of `closure` has no meaning in another process, if so. */
export function findRefusal(
  context: ModuleContext,
  closure: TrackedClosure,
  narrowedThis: readonly Substitution[],
): ClosureMeta['refusal'] {
  const { positions } = context;
  const refuse = (reason: string, fix: string, at: SyntaxNode, end = at.end): ClosureMeta['refusal'] => ({
    reason,
    fix,
    at: positions.original(at.start),
    length: end - at.start,
  });
  const { node } = closure;
  const bound = closure.boundToPlace[0];
  if (bound !== undefined) {
    const { reason, fix } = placeBound(context, bound.what, bound.node);
    return refuse(reason, fix, bound.node);
  }
  const hidden = closure.privateUses.find((use) => !narrowedThis.some((part) => contains(part, use)));
  if (hidden !== undefined) {
    const reason = `it uses the private field \`#${hidden.name}\` of a class that encloses it`;
    return refuse(reason, privateFix(context, hidden, node), hidden);
  }
  const moved = context.dynamicImports.unshippable(node);
  if (moved !== undefined) {
    return refuse(
      'it imports one of your own modules at run time, whose top level would then run on the executor',
      `import ${sourceLine(positions, moved)} statically, or begin that module with 'use executor'`,
      moved,
    );
  }
  const changing = changingKey(context.tree, closure);
  if (changing !== undefined) {
    const { key, reads } = changing;
    return refuse(
      reads === undefined
        ? 'a computed key of the class is the result of a call or an assignment, so it may be another one on an executor'
        : `a computed key of the class reads \`${reads.name}\`, which is assigned again, so it may be another one on an executor`,
      `read it into a const before the class:  const key = ${sourceLine(positions, key)}   and write [key]`,
      reads ?? key,
    );
  }
  const single = isClass(node) ? undefined : perExecutorUse(closure);
  if (single !== undefined) {
    const name = singleName(context.tree, single);
    return refuse(
      'it calls `perExecutor`, which would make a value for each call and not one per executor process',
      `move it outside of the lambda:  const ${name} = perExecutor(() => …)   and call ${name}() inside`,
      single,
    );
  }
  if (isClass(node) && context.isDecorated(node)) {
    return refuse(
      'it is a decorated class: decorators run once, on the driver, and what they register elsewhere is missing on an executor',
      `put ${node.id?.name ?? 'the class'} in a module that begins with 'use executor'`,
      node,
      node.body.start,
    );
  }
  return undefined;
}

interface ChangingKey {
  readonly key: SyntaxNode;
  /** The variable that is assigned again. */
  readonly reads?: Identifier;
}

/** Superclass and statics travel by value: what a class still needs while it is evaluated are its keys. */
function changingKey(tree: SyntaxTree, { node, captured }: TrackedClosure): ChangingKey | undefined {
  if (!isClass(node)) return undefined;
  const keys = computedKeys(node);
  const acting = keys.find((key) => tree.nodes.some((each) => contains(key, each) && isAct(each)));
  if (acting !== undefined) return { key: acting };
  for (const { variable, references, eager } of captured.values()) {
    const [reads] = references;
    if (!eager || reads === undefined) continue;
    if (!variable.references.some((reference) => reference.isWrite() && reference.init !== true)) continue;
    return { key: keys.find((key) => contains(key, reads)) ?? reads, reads };
  }
  return undefined;
}

/** `[key]` of the members of a class. */
export function computedKeys(node: ClassNode): SyntaxNode[] {
  return node.body.body.flatMap((member) =>
    member.type !== 'StaticBlock' && member.computed ? [member.key] : [],
  );
}

/** What may give another value, or do something, when it is evaluated again; `Symbol.for('x')` does not. */
function isAct(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'CallExpression': {
      const { callee } = node;
      return !(
        callee.type === 'MemberExpression' &&
        callee.object.type === 'Identifier' &&
        callee.object.name === 'Symbol' &&
        callee.property.type === 'Identifier' &&
        callee.property.name === 'for'
      );
    }
    case 'NewExpression':
    case 'TaggedTemplateExpression':
    case 'AssignmentExpression':
    case 'UpdateExpression':
      return true;
    default:
      return false;
  }
}

function perExecutorUse({ captured }: TrackedClosure): Identifier | undefined {
  for (const { variable, references } of captured.values()) {
    const [definition] = variable.defs;
    if (definition?.type !== 'ImportBinding') continue;
    const { specifier, name } = importOf(definition);
    if (name === 'perExecutor' && specifier.startsWith('@millrace/')) return references[0];
  }
  return undefined;
}

/** The variable that gets what the call gives. */
function singleName(tree: SyntaxTree, use: SyntaxNode): string {
  const call = tree.parentOf(use);
  const holder = call?.type === 'CallExpression' ? tree.parentOf(call) : undefined;
  return holder?.type === 'VariableDeclarator' && holder.id.type === 'Identifier' ? holder.id.name : 'value';
}

/** `other.#rate` can be read outside; `#rate in other` and a call are a method's business. */
function privateFix({ tree, positions }: ModuleContext, use: SyntaxNode, lambda: SyntaxNode): string {
  const member = tree.parentOf(use);
  const name = (use as { name: string }).name;
  const holder = member?.type === 'MemberExpression' ? tree.parentOf(member) : undefined;
  const isCall = holder?.type === 'CallExpression' && holder.callee === member;
  if (member?.type !== 'MemberExpression' || isCall || isParameter(tree, member, lambda))
    return `give the class a public method that uses \`#${name}\`, and call that`;
  return readOutside(name, sourceLine(positions, member));
}

/** Whether the object is a parameter of the lambda, or of a function in it: then nothing can be read outside. */
function isParameter(
  tree: SyntaxTree,
  { object }: Extract<SyntaxNode, { type: 'MemberExpression' }>,
  lambda: SyntaxNode,
): boolean {
  if (object.type !== 'Identifier') return false;
  for (let node: SyntaxNode | undefined = object; node !== undefined; node = tree.parentOf(node)) {
    const params = 'params' in node ? node.params : [];
    if (params.some((param) => param.type === 'Identifier' && param.name === object.name)) return true;
    if (node === lambda) return false;
  }
  return false;
}

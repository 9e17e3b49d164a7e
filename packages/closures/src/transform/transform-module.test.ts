import { describe, expect, it } from '@jest/globals';
import { closuresModule } from '../bundle/closures-module.ts';
import { transformModule } from './transform-module.ts';

function transform(code: string): ReturnType<typeof transformModule> {
  return transformModule({ code, file: 'job.ts', isByReference: (specifier) => !specifier.startsWith('.') });
}

/** What the closure called `name` captures. */
function captures(code: string, name: string): string[] {
  const meta = transform(code).closures.find((closure) => closure.name === name);
  return meta?.captures.map((capture) => capture.name) ?? ['(no such closure)'];
}

function lifted(code: string, name: string): string {
  const { closures, factories } = transform(code);
  const id = closures.find((closure) => closure.name === name)?.id;
  const factory = factories.find((candidate) => candidate.id === id);
  return factory === undefined
    ? ''
    : `${factory.before}${factory.pieces.map((piece) => piece.text).join('')}${factory.after}`;
}

describe('what a closure captures', () => {
  it.each([
    ['a free variable', 'const a = 1; const f = () => a', ['a']],
    ['nothing that a parameter shadows', 'const a = 1; const f = (a) => a', []],
    ['nothing that an inner block shadows', 'const a = 1; const f = () => { { const a = 2; return a } }', []],
    ['what a default parameter reads', 'const a = 1; const f = (b = a) => b', ['a']],
    ['what a shorthand property reads', 'const a = 1; const f = () => ({ a })', ['a']],
    ['no property name', 'const a = 1; const f = (o) => o.a + o?.a', []],
    ['no label', 'const a = 1; const f = () => { a: for (;;) break a }', []],
    ['no undeclared name', 'const f = () => typeof nothing', []],
    ['what a computed key reads', 'const a = 1; const f = () => ({ [a]: 1 })', ['a']],
    ['what a nested closure reads', 'const a = 1; const f = () => () => () => a', ['a']],
    ['what a template reads', 'const a = 1; const f = () => `\x24{a}`', ['a']],
    ['not itself', 'const f = (n) => f(n - 1)', []],
    ['another one of a cycle', 'const f = () => g(), g = () => f()', ['g']],
    ['no import of a package', "import x from 'pkg'; const f = () => x", []],
    ['an import of an own module', "import x from './own'; const f = () => x", ['x']],
    [
      'only what it reads of a namespace',
      "import * as n from './own'; const f = () => n.a + n.b",
      ['n.a', 'n.b'],
    ],
    ['in the order of use', 'const a = 1, b = 2; const f = () => [b, a]', ['b', 'a']],
    [
      'only what it reads of this',
      'class A { m() { const f = () => this.x + this.y } }',
      ['this.x', 'this.y'],
    ],
    ['this when it calls a method of it', 'class A { m() { const f = () => this.n() } }', ['this']],
    ['this when it writes to it', 'class A { m() { const f = () => { this.n = 1 } } }', ['this']],
    ['this when it takes it apart', 'class A { m() { const f = () => { [this.n] = [1] } } }', ['this']],
  ])('%s', (_title, code, expected) => {
    expect(captures(code, 'f')).toEqual(expected);
  });

  it('a superclass, eagerly; what methods read, lazily', () => {
    const [meta] = transform('class A extends Base { m() { return later } }\nvar Base, later').closures;
    expect(meta?.captures.map(({ name, eager }) => [name, eager === true])).toEqual([
      ['Base', true],
      ['later', false],
    ]);
  });
});

describe('what is refused', () => {
  it.each([
    ['arguments', 'function o() { const f = () => arguments }', '`arguments`'],
    ['eval', 'const f = () => eval("1")', '`eval`'],
    ['import.meta', 'const f = () => import.meta', '`import.meta`'],
    ['a foreign private name', 'class A { #x; m() { const f = (o) => o.#x } }', '`#x`'],
    ['a foreign private name after in', 'class A { #x; m() { const f = (o) => #x in o } }', '`#x`'],
    ['super', 'class A extends B { m() { const f = () => super.m() } }', '`super`'],
    ['await in a class head', 'async function o() { const f = class { [await 1]() {} } }', 'awaits'],
    ['this in a class head', 'function o() { const f = class { [this.k]() {} } }', '`this`'],
  ])('%s', (_title, code, reason) => {
    const meta = transform(code).closures.find((closure) => closure.name === 'f');
    expect(meta?.refusal?.reason).toContain(reason);
    expect(lifted(code, 'f')).toBe('');
  });

  it.each([
    ['an assignment', 'let n; const f = () => { n = 1 }'],
    ['an increment', 'let n; const f = () => n++'],
    ['a destructuring', 'let n; const f = () => { ({ n } = {}) }'],
    ['a loop head', 'let n; const f = () => { for (n of []); }'],
    ['a nested closure', 'let n; const f = () => () => { n ||= 1 }'],
  ])('a write by %s is noted', (_title, code) => {
    const meta = transform(code).closures.find((closure) => closure.name === 'f');
    expect(meta?.writes.map((write) => write.name)).toEqual(['n']);
  });
});

describe('the texts', () => {
  it('keep names without a binding', () => {
    expect(lifted('const o = { parseInt: (x) => parseInt(x) }', 'parseInt')).toBe(
      '({ "parseInt": (x) => parseInt(x) })["parseInt"]',
    );
  });

  it('drop static initialisers, whose values travel', () => {
    const text = lifted('class A { static n = make(); static { touch() } m() {} }', 'A');
    expect(text).not.toMatch(/make|touch/);
  });

  it('have a way to set static private fields, whose initialisers do not run again', () => {
    const text = lifted('class A { static #n = make(); static m() { return A.#n } }', 'A');
    expect(text).not.toContain('make()');
    expect(text).toContain('(this.#n = $values[0])');
  });

  it('keep a static function that uses #private: it exists only within its class', () => {
    const text = lifted('class A { static #n = 1; static m = () => A.#n; static k = () => 2 }', 'A');
    expect(text).toContain('static m = () => A.#n');
    expect(text).not.toContain('() => 2');
  });

  it('do not collide with names of the file', () => {
    const { code } = transform('const $millrace = 1; const f = () => $millrace');
    expect(code).toContain('as $millrace$ }');
  });

  it('give the same id for the same text, and different ids to twins', () => {
    const ids = transform('const a = [(x) => x, (x) => x]').closures.map((closure) => closure.id);
    expect(new Set(ids).size).toBe(2);
    expect(transform('const a = [(x) => x, (x) => x]').closures.map((closure) => closure.id)).toEqual(ids);
  });

  it('have the form for cycles only where a capture may be younger', () => {
    const { factories } = transform('const a = 1; const f = () => a; const g = () => h(), h = () => g()');
    expect(factories.map((factory) => factory.isTieable)).toEqual([false, true, false]);
  });

  it('are written twice only where they have the form for cycles, and not at all when they cannot ship', () => {
    const code =
      'const a = 1; const f = () => a; const g = () => h(), h = () => g(); const i = () => import.meta.url';
    const text = closuresModule(new Map([['job.ts', transform(code)]]), []).code;
    expect(text.match(/make: function/g)).toHaveLength(3);
    expect(text.match(/tie: function/g)).toHaveLength(1);
    expect(text).not.toContain('import.meta');
  });

  it.each([
    'x.bind(a)',
    '(function () {}).bind(a)',
    'a?.b.bind(c)',
    'a.bind?.(c)',
    'a.bind(...b)',
    'a . bind ( (b) )',
    'a.b().bind(c, d,)',
    'super_.bind()',
    'export default class { static { function f() {} } }',
    'export default function () {}',
    'export default () => 1',
    "'use strict'; function f() {}",
    'switch (1) { case 1: function f() {} }',
    'label: for (;;) { function g() {} break label }',
    'if (1) { function g() {} }',
    'const o = { async *[x]() {}, get a() { return 1 }, __proto__() {} }',
    'for (const f of [() => 1]) f()',
    'const { a = () => 1, ...b } = {}',
    'x = async () => { for await (const y of z) await y }',
    '#!/usr/bin/env node\nconst f = () => 1',
  ])('are valid JavaScript: %s', async (code) => {
    const { parseModule } = await import('./syntax-tree.ts');
    expect(() => parseModule(transform(code).code)).not.toThrow();
  });
});

// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { EventEmitter } from 'node:events';
import { perExecutor } from '@millrace/api';
import { parse as parseScript, Node as SyntaxNode } from 'acorn';
import { addDays } from 'date-fns';
import * as _ from 'lodash-es';
import { camelCase, chunk, first as firstOf, identity, memoize, partition } from 'lodash-es';
import { closureJob, gives, same, sameOf } from './lib/closure-job.ts';
import * as everything from './lib/everything.mts';
import { Anonymous, Day, first, Lru, pieces, second, Weekday } from './lib/everything.mts';
import { Left } from './lib/left.mts';
import * as registry from './lib/registry.mts';
import { both, Right } from './lib/right.mts';
import table, { default as again } from './lib/table.json' with { type: 'json' };
import * as self from './modules.mts';

export const exported = { n: 1 };
export let reassigned = 1;
reassigned = 2;
exported.n = 5;
const lru = new Lru<string, number>(2).put('a', 1).put('b', 2).put('c', 3);
const parse = JSON.parse;
const script = parseScript('let a = 1; a + 2', { ecmaVersion: 'latest' });
const upper = String.prototype.toUpperCase.call.bind(String.prototype.toUpperCase);
const memo = perExecutor(() => memoize((x: number) => x * 2));
const hist = new Map<string, number>();
class Hub extends EventEmitter {
  n = 1;
}
const hub = perExecutor(() => new Hub());
process.env['CLOSURES_ONLY_HERE'] = 'driver';
const outside = process.env['CLOSURES_ONLY_HERE'];
const specifier = 'node:path';
const { chunk: destructured } = _;

export default closureJob('closures-modules', {
  'functions of packages': same((x) => [
    camelCase('a b'),
    chunk([1, 2, 3], x),
    _.sum([x, 1]),
    addDays(new Date(0), x).toISOString(),
    pieces([x, x], 1),
  ]),
  'functions of packages as values': sameOf(() => [
    identity,
    Number,
    Math.sqrt,
    Boolean,
    destructured as never,
  ]),
  'functions of packages in data': (() => {
    const steps = { first: firstOf, both: [partition, _.last] };
    return same((x) => [steps.first([x]), (steps.both[1] as any)([x, 2]), parse('[1]'), upper('a')]);
  })(),
  'instances of classes of packages': same((x) => [
    script instanceof SyntaxNode,
    script.body.map((node) => [node.type, node.start + x, node instanceof SyntaxNode]),
    Object.getPrototypeOf(script) === SyntaxNode.prototype,
  ]),
  'what a package makes, once per executor': gives((x) => memo()(x), 2, 4, 6),
  'a class over a class of Node, once per executor': gives(() => {
    const seen: number[] = [];
    hub().once('tick', (n: number) => seen.push(n));
    hub().emit('tick', hub().n);
    return seen;
  }, [1]),
  'a generic class of another module, and its instance': same((x) => [
    lru.get('a') ?? null,
    lru.get('c'),
    new Lru<number, number>(1).put(1, x).get(1),
    lru instanceof Lru,
  ]),
  'a const enum of another module, renamed': same((x) => [Weekday.Friday + x, Day.Monday]),
  'destructured exports through a barrel': same((x) => [first + x, second]),
  'an anonymous default class through a barrel': same(() => [
    new Anonymous().who(),
    new Anonymous() instanceof Anonymous,
  ]),
  'a namespace of a barrel': same(() => [
    everything.first,
    new everything.Lru(1).max,
    everything.pieces([1, 2], 1),
  ]),
  'classes of modules that import each other': same(() => [
    new Left().make() instanceof Right,
    new Right().make() instanceof Left,
    both(),
  ]),
  'a module that imports itself': same(() => [self.exported.n, self.reassigned, self.exported === exported]),
  'one JSON module under two names': same(() => [table.rows.length, again === table]),
  "a module that begins with 'use executor'": async ({ rows }) => {
    const seen = await rows.map((x) => [registry.note('row'), registry.pid !== 0, x]).collect();
    const other = (await rows.map(() => registry.pid).collect()).every((pid) => pid !== process.pid);
    return [
      [seen.map(([n]) => n), other],
      [[1, 2, 3], true],
    ];
  },
  'the environment: read inside is theirs, outside is ours': gives(
    () => [process.env['CLOSURES_ONLY_HERE'] ?? 'unset', outside],
    ['unset', 'driver'],
  ),
  'dynamic imports of packages': async ({ rows }) => [
    await rows
      .mapAsync(async (x) => {
        const { join } = await import('node:path');
        const { default: lodash } = await import('lodash-es');
        const dynamic = await import(specifier);
        return [join('a', `${x}`), lodash.last([1, x]), dynamic.basename('/q/w')];
      })
      .collect(),
    [1, 2, 3].map((x) => [`a/${x}`, x, 'w']),
  ],
  'what a lambda writes to a captured Map stays there': async ({ rows }) => {
    const note = (key: number) => {
      hist.set('n', (hist.get('n') ?? 0) + key);
      return hist.get('n');
    };
    return [
      [await rows.map(note).collect(), hist.size],
      [[1, 3, 6], 0],
    ];
  },
  'lambdas of an asynchronous function': async ({ rows }) => {
    const value = await Promise.resolve(3);
    return [await (async () => rows.map((x) => x + value).collect())(), [4, 5, 6]];
  },
});

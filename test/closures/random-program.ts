import * as fc from 'fast-check';
import { ProgramText } from './program-text.ts';

/** An expression of a random program; `pick` chooses among what is visible where it stands. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'variable'; readonly pick: number }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'call'; readonly pick: number; readonly args: readonly Expression[] }
  | { readonly kind: 'arrow'; readonly body: Body; readonly shadows: number }
  | { readonly kind: 'object'; readonly values: readonly Expression[]; readonly method: Body | null }
  | { readonly kind: 'array'; readonly values: readonly Expression[] }
  | { readonly kind: 'member'; readonly pick: number; readonly name: string }
  | { readonly kind: 'choice'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: 'new'; readonly pick: number; readonly arg: Expression }
  | { readonly kind: 'bind'; readonly pick: number; readonly arg: Expression }
  | { readonly kind: 'hidden'; readonly pick: number; readonly arg: Expression }
  | { readonly kind: 'generator'; readonly values: readonly Expression[] }
  | { readonly kind: 'tagged'; readonly values: readonly Expression[] }
  | { readonly kind: 'async'; readonly arg: Expression }
  | { readonly kind: 'template'; readonly values: readonly Expression[] };

export type Statement =
  | {
      readonly kind: 'declare';
      readonly how: 'const' | 'let' | 'var';
      readonly value: Expression;
      readonly shadows: number;
    }
  | { readonly kind: 'destructure'; readonly value: Expression; readonly otherwise: Expression }
  | { readonly kind: 'function'; readonly body: Body; readonly shadows: number }
  | {
      readonly kind: 'class';
      readonly heir: number | null;
      readonly field: Expression;
      readonly method: Body;
      readonly fixed: Expression;
    }
  | { readonly kind: 'assign'; readonly pick: number; readonly value: Expression }
  | { readonly kind: 'put'; readonly pick: number; readonly value: Expression }
  | {
      readonly kind: 'if';
      readonly test: Expression;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    }
  | { readonly kind: 'loop'; readonly of: 'let' | 'var' | 'of'; readonly body: readonly Statement[] }
  | { readonly kind: 'try'; readonly body: readonly Statement[]; readonly caught: readonly Statement[] }
  | { readonly kind: 'block'; readonly body: readonly Statement[] };

export interface Body {
  readonly parameters: number;
  readonly byDefault: Expression | null;
  readonly statements: readonly Statement[];
  readonly result: Expression;
}

const pick = fc.nat(40);
/** One in three declarations takes a name that is visible already. */
const shadows = fc.nat(11);

const { expression, statement, body } = fc.letrec<{
  expression: Expression;
  statement: Statement;
  body: Body;
}>((tie) => {
  const part = tie('expression');
  const leaf = fc.oneof(
    fc.record({ kind: fc.constant('number' as const), value: fc.integer({ min: -3, max: 9 }) }),
    fc.record({ kind: fc.constant('variable' as const), pick }),
    fc.record({
      kind: fc.constant('member' as const),
      pick,
      name: fc.constantFrom('a', 'b', 'run', 'fixed', 'length'),
    }),
  );
  const statements = fc.array(tie('statement'), { maxLength: 3 });
  return {
    expression: fc.oneof(
      { depthSize: 'xsmall', withCrossShrink: true },
      { arbitrary: leaf, weight: 6 },
      {
        arbitrary: fc.record({
          kind: fc.constant('binary' as const),
          operator: fc.constantFrom('+', '*', '-', '<', '===', '??', '&&', '||'),
          left: part,
          right: part,
        }),
        weight: 3,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('call' as const),
          pick,
          args: fc.array(part, { maxLength: 2 }),
        }),
        weight: 5,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('arrow' as const), body: tie('body'), shadows }),
        weight: 5,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('object' as const),
          values: fc.array(part, { maxLength: 2 }),
          method: fc.option(tie('body')),
        }),
        weight: 2,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('array' as const),
          values: fc.array(part, { maxLength: 3 }),
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('choice' as const), test: part, yes: part, no: part }),
        weight: 1,
      },
      { arbitrary: fc.record({ kind: fc.constant('new' as const), pick, arg: part }), weight: 2 },
      { arbitrary: fc.record({ kind: fc.constant('bind' as const), pick, arg: part }), weight: 1 },
      {
        arbitrary: fc.record({ kind: fc.constant('hidden' as const), pick, arg: part }),
        weight: 2,
      },
      {
        arbitrary: fc.record({
          kind: fc.constantFrom('generator' as const, 'tagged' as const),
          values: fc.array(part, { maxLength: 2 }),
        }),
        weight: 1,
      },
      { arbitrary: fc.record({ kind: fc.constant('async' as const), arg: part }), weight: 1 },
      {
        arbitrary: fc.record({
          kind: fc.constant('template' as const),
          values: fc.array(part, { maxLength: 2 }),
        }),
        weight: 1,
      },
    ),
    statement: fc.oneof(
      { depthSize: 'xsmall', withCrossShrink: true },
      {
        arbitrary: fc.record({
          kind: fc.constant('declare' as const),
          how: fc.constantFrom('const', 'let', 'var'),
          value: part,
          shadows,
        }),
        weight: 6,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('destructure' as const), value: part, otherwise: part }),
        weight: 1,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('function' as const), body: tie('body'), shadows }),
        weight: 4,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('class' as const),
          heir: fc.option(pick),
          field: part,
          method: tie('body'),
          fixed: part,
        }),
        weight: 2,
      },
      { arbitrary: fc.record({ kind: fc.constant('assign' as const), pick, value: part }), weight: 3 },
      { arbitrary: fc.record({ kind: fc.constant('put' as const), pick, value: part }), weight: 2 },
      {
        arbitrary: fc.record({
          kind: fc.constant('if' as const),
          test: part,
          yes: statements,
          no: statements,
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('loop' as const),
          of: fc.constantFrom('let', 'var', 'of'),
          body: statements,
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('try' as const), body: statements, caught: statements }),
        weight: 1,
      },
      { arbitrary: fc.record({ kind: fc.constant('block' as const), body: statements }), weight: 1 },
    ),
    body: fc.record({
      parameters: fc.nat(2),
      byDefault: fc.option(part),
      statements: fc.array(tie('statement'), { maxLength: 3 }),
      result: part,
    }),
  };
});

export interface RandomProgram {
  /** Functions and classes of the module; nothing there is called. */
  readonly top: readonly Statement[];
  /** Runs on the driver, and ends with the lambda. */
  readonly build: readonly Statement[];
  readonly lambda: Body;
}

const topLevel = statement.filter(({ kind }) => kind === 'function' || kind === 'class');

export const randomProgram: fc.Arbitrary<RandomProgram> = fc.record({
  top: fc.array(topLevel, { maxLength: 3 }),
  build: fc.array(statement, { minLength: 2, maxLength: 8 }),
  lambda: body,
});

void expression;

/** A module that exports `build`, which makes the lambda to ship. `number` keeps the names of programs apart. */
export function programSource(program: RandomProgram, number: number): string {
  return new ProgramText(number).module(program);
}
